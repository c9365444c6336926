//! One step: a model call, the tools it asked for, and the writing of both.

use std::{sync::Arc, time::Instant};

use mneme_domain::{
    MessageId, StepId, ToolId,
    message::{Message, MessageRole, StoredToolCall, StoredToolReturn},
    run::{RunStatus, StopReason},
};
use mneme_store::{agents, blocks};

use super::{
    super::{
        answer,
        commit::{Committed, StepRecord},
        heartbeats,
        host::Working,
        model_call::Answer,
        thoughts,
        tools::{Caller, ToolRun},
    },
    Next, State, Turn,
    calls::Sorted,
    next::{Followed, Said},
    records::Times,
};
use crate::{Core, CoreError, Result, context::cache::CachedContext, failpoint};

/// How often a step's tools run again because somebody changed a block in between.
pub(super) const BLOCK_RETRIES: usize = 5;

impl Turn {
    /// Makes one step. At the `last` one the turn stops whatever the model wants.
    pub(super) async fn step(&self, state: &mut State, last: bool) -> Result<Next> {
        let began = Instant::now();
        let started_at = self.core.env.now();
        let step_id = StepId::from_uuid(self.core.env.uuid());
        let rewritten = self.refresh_prompt(state).await?;
        let mut message = Message::new(
            MessageId::from_uuid(self.core.env.uuid()),
            self.agent.clone(),
            MessageRole::Assistant,
            started_at,
        );
        message.step_id = Some(step_id.clone());
        message.run_id = Some(self.run_id.clone());
        message.model = Some(state.agent.llm_config.model.clone());
        self.look_ahead(state, &message);

        let called = self.ask(state, &mut message).await;
        let Answer { completion, took, ttft, shown, served } = match called {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(Next::Wait),
            Err(error) => {
                self.record_failed_step(state, &step_id, started_at, began, &error).await;
                return Err(error);
            }
        };
        if state.ttft.is_none() {
            state.ttft = ttft;
        }
        if self.told.asks_for_logprobs() {
            *self.logprobs.lock() = completion.logprobs().cloned();
        }
        failpoint::hit("step.answered");
        message.model = Some(served.config.model.clone());
        answer::fill(&mut message, &completion);
        if thoughts::asked(&state.agent) {
            thoughts::take(&mut message);
        }
        let empty = answer::is_empty(&completion);
        self.count(state, &completion);
        let Sorted { request, settled } = self.sort_calls(state, &mut message);
        let silent = message.content.is_empty() && message.tool_calls.is_none();

        let mut before: Vec<ToolRun> = Vec::new();
        for _ in 0..BLOCK_RETRIES {
            let tool_began = Instant::now();
            let calls = message.tool_calls.as_deref().unwrap_or_default();
            let runs = self.run_tools(state, Some(&step_id), calls, &settled, &before).await;
            let tools_took = (!runs.is_empty()).then(|| tool_began.elapsed());
            let said = Said { calls, runs: &runs, empty, asks: request.is_some(), last };
            let Followed { next, trail, note } = said.followed(state);
            let note = note.map(|text| self.note(&message, text));
            let tool_message = tool_message(&self.core, &message, &runs);

            let mut added = state.pending.clone();
            if !silent {
                added.push(message.clone());
            }
            added.extend(tool_message.iter().chain(&note).chain(&request).cloned());
            self.mark(&mut added);
            let stop = if let Next::Stop(reason) = &next { Some(*reason) } else { None };
            let step = self.step_record(state, &step_id, started_at, &completion, &served, stop);
            let times = Times { model: took, tools: tools_took, step: began.elapsed() };
            let metrics = self.metrics(state, &step_id, started_at, &times);
            let trace = self.core.config.keeps_traces().then(|| self.trace(&step_id, &completion));
            let tools_used: Vec<ToolId> = runs.iter().filter_map(|run| run.tool.clone()).collect();
            let end = stop.map(|reason| self.run_end(state, RunStatus::Completed, reason));
            let seen: Vec<MessageId> = context_ids(&state.context);
            let record = StepRecord {
                agent: &self.agent,
                before: &seen,
                version: state.agent.version,
                fence: state.agent.fence,
                added: &added,
                system: rewritten.then_some(&*state.context.system),
                step: Some((&step, &metrics, trace.as_ref())),
                tools_used: &tools_used,
                end: end.as_ref().map(|end| (&self.run_id, end)),
                clear: forgets(state, stop),
                finished: end.as_ref().map(|end| (end.completed_at, self.milliseconds())),
            };
            let mut working = state.working.lock().clone();
            self.sink.settle().await;
            failpoint::hit("step.ran");
            match self.core.commit_step(&self.actor, &record, &mut working).await? {
                Committed::Lost => return Err(self.taken_over()),
                Committed::BlockChanged => {
                    self.read_blocks(state).await?;
                    before = runs;
                }
                Committed::Yes { version, context } => {
                    *state.working.lock() = working;
                    state.trail = trail;
                    self.keep(state, version, &context, added).await?;
                    self.see_new_blocks(state, calls).await?;
                    if !silent {
                        self.sink.message(&message, &shown).await;
                    }
                    if let Some(tool_message) = &tool_message {
                        self.sink.message(tool_message, &[]).await;
                    }
                    if let Some(request) = &request {
                        self.sink.message(request, &shown).await;
                    }
                    return Ok(next);
                }
            }
        }
        Err(CoreError::Conflict("A shared memory block was changed too often while the agent edited it".into()))
    }

    /// Names the entry of the batch that messages belong to.
    pub(super) fn mark(&self, added: &mut [Message]) {
        if self.desk.is_some() {
            let item = mneme_domain::batch::item_of(&self.run_id);
            added.iter_mut().for_each(|message| message.batch_item_id = Some(item.clone()));
        }
    }

    /// Gives the turn up to the server that has it now.
    pub(super) fn taken_over(&self) -> CoreError {
        if let Some(live) = self.core.live.get(&self.run_id) {
            live.lose();
        }
        CoreError::Conflict("The run was taken over by another server".into())
    }

    /// Reads the agent's blocks anew, for tools to run on again.
    pub(super) async fn read_blocks(&self, state: &State) -> Result<()> {
        let mut conn = self.core.store.read().await?;
        let fresh = blocks::of_agent(&mut conn, &self.actor, &self.agent).await?;
        *state.working.lock() = Working::new(fresh);
        Ok(())
    }

    /// The same when calls may have made blocks, which the next step shows and edits.
    pub(super) async fn see_new_blocks(&self, state: &State, calls: &[StoredToolCall]) -> Result<()> {
        if calls.iter().any(|call| call.function.name == crate::tools::MEMORY) {
            self.read_blocks(state).await?;
        }
        Ok(())
    }

    /// Takes a written step into the turn's view of the context and keeps it for the next turn.
    pub(super) async fn keep(
        &self,
        state: &mut State,
        version: i64,
        context: &[MessageId],
        added: Vec<Message>,
    ) -> Result<()> {
        state.agent.version = version;
        state.pending.clear();
        let expected = context_ids(&state.context).len() + added.len();
        state.context.total += i64::try_from(added.len()).unwrap_or(0);
        state.context.messages.extend(added.into_iter().map(Arc::new));
        state.context.version = version;
        if context.len() == expected {
            self.core.contexts.put(&self.agent, state.context.clone());
            return Ok(());
        }
        // Somebody reset or rewrote the context meanwhile; read it as it is now.
        let mut conn = self.core.store.read().await?;
        let agent = agents::get(&mut conn, &self.actor, &self.agent)
            .await?
            .ok_or_else(|| CoreError::missing("Agent", &self.agent))?;
        state.context = self.core.load_context(&mut conn, &self.actor, &agent).await?;
        state.agent = agent;
        Ok(())
    }

    /// Runs calls but those that are `settled`.
    pub(super) async fn run_tools(
        &self,
        state: &State,
        step: Option<&StepId>,
        calls: &[StoredToolCall],
        settled: &[Option<StoredToolReturn>],
        before: &[ToolRun],
    ) -> Vec<ToolRun> {
        let (core, actor) = (&self.core, &self.actor);
        let step = step.map(|step| (&self.run_id, step));
        let caller = Caller {
            core,
            actor,
            agent: &state.agent,
            tools: &state.tools,
            step,
            chain: Arc::new(self.chain.with(&self.agent)),
        };
        if heartbeats::asked(&state.agent) {
            let calls: Vec<StoredToolCall> = calls.iter().map(heartbeats::without).collect();
            return caller.run(&calls, settled, &state.working, before).await;
        }
        caller.run(calls, settled, &state.working, before).await
    }
}

/// Whether a turn that ends so leaves nothing in view. A wait for approval stays: its answer comes to it.
pub(super) fn forgets(state: &State, stop: Option<StopReason>) -> bool {
    state.agent.message_buffer_autoclear && stop.is_some_and(|reason| reason != StopReason::RequiresApproval)
}

/// What calls returned, as one message of the step and the run that `assistant` belongs to.
pub(super) fn tool_message(core: &Core, assistant: &Message, runs: &[ToolRun]) -> Option<Message> {
    let first = runs.first()?;
    let id = MessageId::from_uuid(core.env.uuid());
    let mut message = Message::new(id, assistant.agent_id.clone(), MessageRole::Tool, core.env.now());
    message.step_id.clone_from(&assistant.step_id);
    message.run_id.clone_from(&assistant.run_id);
    message.model.clone_from(&assistant.model);
    message.tool_call_id.clone_from(&first.tool_return.tool_call_id);
    message.name = assistant.tool_calls.as_deref().and_then(|calls| match calls {
        [call] => Some(call.function.name.clone()),
        _ => None,
    });
    message.tool_returns = runs.iter().map(|run| run.tool_return.clone()).collect();
    Some(message)
}

pub(super) fn context_ids(context: &CachedContext) -> Vec<MessageId> {
    std::iter::once(&context.system).chain(&context.messages).map(|message| message.id.clone()).collect()
}
