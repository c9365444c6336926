//! How a turn begins when the agent waits for approval, or the client answers to that.

use std::time::Instant;

use mneme_domain::{
    MessageId, RunId, Timestamp,
    mcp::McpOrigin,
    message::{Message, MessageRole, StoredToolReturn},
    request::ApprovalCreate,
    run::{RunStatus, StopReason},
    step::TurnUsage,
    tool::Tool,
};

use super::{
    super::{
        TurnEvent,
        approval::{self, Earlier, Verdict},
        commit::{Committed, StepRecord},
        rules::{self, Trail},
        tools::{ToolRun, refusal},
    },
    Begin, Next, State, Turn,
    next::{Followed, Said},
    step::{BLOCK_RETRIES, context_ids, forgets, tool_message},
};
use crate::{CoreError, Result, failpoint};

/// Whether a tool is another one than it was at a time.
fn changed_since(tool: Option<&Tool>, then: Timestamp) -> bool {
    let origin = tool.and_then(|tool| McpOrigin::of(tool.metadata_.as_ref()));
    origin.and_then(|origin| origin.changed_at).is_some_and(|changed| changed > then)
}

impl Turn {
    /// Brings an answer to the request that waits for it, and refuses what comes in its place.
    ///
    /// # Errors
    /// 409 for a message while the agent waits, 400 for an answer that fits no request.
    pub(super) async fn begin(&self, state: &mut State, answer: Option<&ApprovalCreate>) -> Result<Begin> {
        let request = approval::pending(&state.context.messages).cloned();
        if let (None, Some(request)) = (answer, &request) {
            return Err(approval::conflict(&request.id));
        }
        if self.done.usage.step_count > 0 {
            state.trail = Trail::of(&state.context.messages, None);
            return Ok(Begin::Steps);
        }
        let Some(answer) = answer else { return Ok(Begin::Steps) };
        if let Some(request) = request {
            return self.decide(state, &request, answer).await;
        }
        match approval::earlier(&state.context.messages, &self.run_id, answer) {
            None => Err(approval::nothing_waits()),
            Some(Earlier::Taken) => {
                state.trail = Trail::of(&state.context.messages, None);
                Ok(Begin::Steps)
            }
            Some(Earlier::By(run)) => {
                let found = self.core.get_run(&self.actor, &run).await?;
                if found.status == RunStatus::Completed {
                    return Ok(Begin::Repeat(run));
                }
                // It took the answer and failed afterwards: its calls are done, the rest is to do.
                state.trail = Trail::of(&state.context.messages, None);
                Ok(Begin::Steps)
            }
        }
    }

    /// Runs what is approved, and writes the answer with what all calls came to.
    async fn decide(&self, state: &mut State, request: &Message, answer: &ApprovalCreate) -> Result<Begin> {
        let verdicts = approval::verdicts(request, answer)?;
        let calls = request.tool_calls.as_deref().unwrap_or_default();
        let settled = self.settle(state, request, &verdicts);
        state.trail = Trail::of(&state.context.messages, None);

        let mut recorded = Message::new(
            MessageId::from_uuid(self.core.env.uuid()),
            self.agent.clone(),
            MessageRole::Approval,
            self.core.env.now(),
        );
        recorded.run_id = Some(self.run_id.clone());
        approval::record(&mut recorded, request, answer);
        let mut answered = request.clone();
        answered.run_id = Some(self.run_id.clone());
        // A request that came with an agent file has none.
        let step = request.step_id.as_ref();
        let began = Instant::now();

        let mut before: Vec<ToolRun> = Vec::new();
        for _ in 0..BLOCK_RETRIES {
            let runs = self.run_tools(state, step, calls, &settled, &before).await;
            let said = Said { calls, runs: &runs, empty: false, asks: false, last: false };
            let Followed { mut next, trail, note } = said.followed(state);
            // Whoever wrote more than the answer wants it read.
            if !state.pending.is_empty() {
                next = Next::Step;
            }
            let note = note.map(|text| self.note(&answered, text));
            let returned = tool_message(&self.core, &answered, &runs);
            let mut added = vec![recorded.clone()];
            added.extend(returned.iter().chain(&note).cloned());
            self.mark(&mut added);
            let end = match next {
                Next::Stop(reason) => Some((reason, self.run_end(state, RunStatus::Completed, reason))),
                Next::Step | Next::Wait => None,
            };
            let seen = context_ids(&state.context);
            let record = StepRecord {
                agent: &self.agent,
                before: &seen,
                version: state.agent.version,
                fence: state.agent.fence,
                added: &added,
                system: None,
                step: None,
                tools_used: &[],
                end: end.as_ref().map(|(_, end)| (&self.run_id, end)),
                clear: forgets(state, end.as_ref().map(|(reason, _)| *reason)),
                finished: end.as_ref().map(|(_, end)| (end.completed_at, self.milliseconds())),
            };
            let mut working = state.working.lock().clone();
            failpoint::hit("approval.ran");
            match self.core.commit_step(&self.actor, &record, &mut working).await? {
                Committed::Lost => return Err(self.taken_over()),
                Committed::BlockChanged => {
                    self.read_blocks(state).await?;
                    before = runs;
                }
                Committed::Yes { version, context } => {
                    tracing::debug!(took = ?began.elapsed(), calls = calls.len(), "approved calls ran");
                    *state.working.lock() = working;
                    state.trail = trail;
                    let pending = std::mem::take(&mut state.pending);
                    self.keep(state, version, &context, added).await?;
                    state.pending = pending;
                    self.see_new_blocks(state, calls).await?;
                    failpoint::hit("approval.kept");
                    if let Some(returned) = &returned {
                        self.sink.message(returned, &[]).await;
                    }
                    return Ok(end.map_or(Begin::Steps, |(reason, _)| Begin::Stop(reason)));
                }
            }
        }
        Err(CoreError::Conflict("A shared memory block was changed too often while the agent edited it".into()))
    }

    /// The returns of calls that do not run: denied ones, those that the client ran, and those that the rules as they
    /// are now do not allow.
    fn settle(&self, state: &State, request: &Message, verdicts: &[Verdict]) -> Vec<Option<StoredToolReturn>> {
        // Calls beside the request were made at the same time; they do not bind it.
        let trail = Trail::of(&state.context.messages, request.step_id.as_ref());
        let names: Vec<&str> = state.tool_names();
        let offer = rules::offer(&state.agent.tool_rules, &names, &trail);
        let calls = request.tool_calls.iter().flatten();
        let settled = calls.zip(verdicts).map(|(call, verdict)| {
            let name = &call.function.name;
            match verdict {
                Verdict::Denied(text) => Some(refusal(call, text.clone())),
                Verdict::Returned(returned) => Some(returned.clone()),
                Verdict::Approved if !offer.allows(name) => Some(refusal(call, offer.refusal(name, &names))),
                Verdict::Approved if self.is_clients(name) => {
                    let text =
                        format!("{name} runs at the client, which approved the call and did not send its return.");
                    Some(refusal(call, text))
                }
                // What was approved is not what would run now.
                Verdict::Approved if changed_since(state.tool(name), request.created_at) => {
                    let text = format!(
                        "{name} changed on its MCP server after its approval was asked for, so it was not run. Call it \
                         again if it is still wanted; approval is then asked for again."
                    );
                    Some(refusal(call, text))
                }
                Verdict::Approved => None,
            }
        });
        settled.collect()
    }

    /// Tells again what an earlier run did with the same answer.
    pub(super) async fn repeat(&self, run: &RunId) -> Result<(StopReason, TurnUsage)> {
        let earlier = self.core.get_run(&self.actor, run).await?;
        let (mut stop, mut usage) = (earlier.stop_reason.unwrap_or(StopReason::EndTurn), TurnUsage::default());
        for event in self.core.unkept_events(&self.actor, &earlier, &[]).await? {
            match event {
                TurnEvent::Stop(reason) => stop = reason,
                TurnEvent::Usage(used) => usage = used,
                other => self.sink.send(other).await,
            }
        }
        self.end_early(RunStatus::Completed, stop, None).await;
        // The run itself used nothing; its client reads what the work cost.
        Ok((stop, usage))
    }
}
