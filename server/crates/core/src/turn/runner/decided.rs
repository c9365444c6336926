//! A turn that begins with a person's answer: the calls that waited for it run, or do not.

use std::sync::Arc;

use mneme_domain::{
    MessageId, StepId,
    message::{Message, StoredToolCall},
    request::ApprovalCreate,
};
use mneme_store::blocks;

use super::{
    super::{
        approvals,
        commit::{Committed, StepRecord},
        heartbeats,
        host::Working,
        tools::ToolRun,
    },
    State, Turn,
    step::{BLOCK_RETRIES, context_ids, tool_message},
};
use crate::{CoreError, Result};

impl Turn {
    /// Acts on an answer, and writes what came of it. A run that is taken over finds it written.
    pub(super) async fn act_on(&self, state: &mut State, answer: &ApprovalCreate) -> Result<()> {
        let own = |message: &Arc<Message>| message.run_id.as_ref() == Some(&self.run_id) && message.approvals.is_some();
        if state.context.messages.iter().any(own) {
            return Ok(());
        }
        let waiting = state.context.messages.last().filter(|message| approvals::is_request(message)).cloned();
        approvals::check(waiting.as_deref(), Some(answer))?;
        let Some(request) = waiting else { return Ok(()) };
        let verdicts = approvals::verdicts(&request, answer)?;
        let step = request.step_id.clone().unwrap_or_else(|| StepId::from_uuid(self.core.env.uuid()));
        let strip = heartbeats::asked(&state.agent);
        let calls: Vec<StoredToolCall> = request
            .tool_calls
            .iter()
            .flatten()
            .map(|call| if strip { heartbeats::without(call) } else { call.clone() })
            .collect();
        let id = MessageId::from_uuid(self.core.env.uuid());
        let response = approvals::response(id, self.core.env.now(), &self.run_id, &request, answer, &verdicts);

        let mut before: Vec<ToolRun> = Vec::new();
        for _ in 0..BLOCK_RETRIES {
            let mut solver = state.solver.clone();
            let runs = self.caller(state, &step).decided(&calls, &verdicts, &state.working, &before, &mut solver).await;
            let mut added = vec![response.clone()];
            let mut returned = tool_message(&self.core, &request, &runs);
            if let Some(message) = &mut returned {
                message.run_id = Some(self.run_id.clone());
            }
            added.extend(returned.clone());
            let seen = context_ids(&state.context);
            let record = StepRecord {
                agent: &self.agent,
                before: &seen,
                version: state.agent.version,
                fence: state.agent.fence,
                added: &added,
                system: None,
                step: None,
                end: None,
                finished: None,
            };
            let mut working = state.working.lock().clone();
            match self.core.commit_step(&self.actor, &record, &mut working).await? {
                Committed::Lost => return Err(self.taken_over()),
                Committed::BlockChanged => {
                    let mut conn = self.core.store.read().await?;
                    let fresh = blocks::of_agent(&mut conn, &self.actor, &self.agent).await?;
                    *state.working.lock() = Working::new(fresh);
                    before = runs;
                }
                Committed::Yes { version, context } => {
                    *state.working.lock() = working;
                    state.solver = solver;
                    // What else came in waits for the first step.
                    let input = std::mem::take(&mut state.pending);
                    self.keep(state, version, &context, added).await?;
                    state.pending = input;
                    if let Some(returned) = &returned {
                        self.sink.message(returned, &[]).await;
                    }
                    return Ok(());
                }
            }
        }
        Err(CoreError::Conflict("A shared memory block was changed too often while the agent edited it".into()))
    }
}
