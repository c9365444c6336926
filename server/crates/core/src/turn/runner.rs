//! The agent loop: call the model, run its tools, write the step, and again until something ends the turn.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mneme_domain::{
    Actor, AgentId, JsonObject, MessageId, RunId, StepId, Timestamp, ToolId, TraceId,
    agent::Agent,
    message::{Message, MessageRole, StoredToolCall},
    request::MessageCreate,
    run::{RequestConfig, Run, RunStatus, StopReason},
    step::{ProviderTrace, Step, StepMetrics, StepStatus, TurnUsage},
    tool::Tool,
    tool_rule::ToolRule,
};
use mneme_llm::{Completion, LlmError, ToolSpec};
use mneme_store::{agents, blocks, runs, runs::RunEnd, steps, tools as tool_store};
use parking_lot::Mutex;

use super::{
    TurnEvent, answer,
    commit::{Committed, StepRecord},
    host::Working,
    input,
    model_call::{self, Answer},
    sink::Sink,
    thoughts,
    tools::{Caller, ToolRun},
};
use crate::{
    Core, CoreError, Result,
    context::{cache::CachedContext, history, prompt},
    locks::AgentGuard,
};

/// How often a model may answer nothing, or nothing usable, before the turn ends.
const BAD_ANSWERS: usize = 3;
/// How often the context is made smaller for one step before the provider's refusal is final.
const COMPACTIONS: usize = 4;
/// How often a step's tools run again because somebody changed a block in between.
const BLOCK_RETRIES: usize = 5;

/// What a turn is to do.
pub struct Order {
    pub agent: AgentId,
    pub run_id: RunId,
    pub config: RequestConfig,
    pub max_steps: u32,
    /// Whether it goes on without its client.
    pub background: bool,
    /// Who is told when it ends.
    pub callback_url: Option<String>,
    /// The agent's turn, when nobody had it.
    pub seat: Option<Seat>,
}

/// The agent's turn, taken, and the agent as it was read since.
pub struct Seat {
    pub guard: AgentGuard,
    pub agent: Agent,
}

/// A turn under way.
pub struct Turn {
    core: Arc<Core>,
    actor: Actor,
    agent: AgentId,
    run_id: RunId,
    config: RequestConfig,
    max_steps: u32,
    background: bool,
    callback_url: Option<String>,
    seat: Option<Seat>,
    sink: Sink,
    began: Instant,
    created_at: Timestamp,
}

/// What a turn knows while it runs.
struct State {
    agent: Agent,
    tools: Vec<Arc<Tool>>,
    specs: Vec<ToolSpec>,
    working: Arc<Mutex<Working>>,
    context: CachedContext,
    /// Input that no step has written yet.
    pending: Vec<Message>,
    usage: TurnUsage,
    ttft: Option<Duration>,
}

/// What a step leads to.
enum Next {
    Step,
    Stop(StopReason),
}

impl Turn {
    pub fn new(core: Arc<Core>, actor: Actor, order: Order, sink: Sink) -> Self {
        let Order { agent, run_id, config, max_steps, background, callback_url, seat } = order;
        let created_at = core.env.now();
        let began = Instant::now();
        Self { core, actor, agent, run_id, config, max_steps, background, callback_url, seat, sink, began, created_at }
    }

    /// The run that the turn is recorded as.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// Runs the turn to its end and tells the reader how it ended. A background turn's run is recorded already.
    #[tracing::instrument(name = "turn", skip_all, fields(agent = %self.agent, run = %self.run_id))]
    pub async fn run(mut self, input: Vec<MessageCreate>) {
        let seat = self.seat.take();
        let cancel = self.core.live.get(&self.run_id).map(|live| live.cancel.clone()).unwrap_or_default();
        let ended = tokio::select! {
            biased;
            ended = self.drive(input, seat) => ended,
            () = cancel.cancelled() => return self.cancelled().await,
            () = self.sink.closed() => return self.cancelled().await,
            () = self.core.stopping.cancelled() => Err(CoreError::Unavailable("The server is shutting down".into())),
        };
        match ended {
            Ok((stop, usage)) => {
                self.sink.send(TurnEvent::Stop(stop)).await;
                self.sink.send(TurnEvent::Usage(usage)).await;
            }
            Err(error) => {
                if self.background {
                    tracing::warn!(%error, "a background turn failed");
                }
                self.core.contexts.forget(&self.agent);
                let reason =
                    if matches!(error, CoreError::Llm(_)) { StopReason::LlmApiError } else { StopReason::Error };
                self.end_early(RunStatus::Failed, reason, Some(&error)).await;
                self.sink.send(TurnEvent::Error(error)).await;
            }
        }
    }

    async fn cancelled(&self) {
        tracing::info!("the turn is cancelled");
        self.core.contexts.forget(&self.agent);
        self.end_early(RunStatus::Cancelled, StopReason::Cancelled, None).await;
        self.sink.send(TurnEvent::Stop(StopReason::Cancelled)).await;
        let usage = async {
            let mut conn = self.core.store.read().await?;
            runs::usage(&mut conn, &self.actor, &self.run_id).await
        };
        self.sink.send(TurnEvent::Usage(usage.await.ok().flatten().unwrap_or_default())).await;
    }

    async fn drive(&self, input: Vec<MessageCreate>, seat: Option<Seat>) -> Result<(StopReason, TurnUsage)> {
        let (guard, agent) = match seat {
            Some(seat) => {
                self.record(RunStatus::Running).await?;
                (seat.guard, Some(seat.agent))
            }
            None => {
                if !self.background {
                    self.record(RunStatus::Created).await?;
                }
                let guard = self.core.locks.lock(&self.agent).await;
                let mut tx = self.core.store.write().await?;
                runs::set_running(&mut tx, &self.actor, &self.run_id).await?;
                tx.commit().await?;
                (guard, None)
            }
        };
        let mut state = self.load(agent, input).await?;
        let mut number: u32 = 0;
        let stop = loop {
            number += 1;
            match self.step(&mut state, number >= self.max_steps).await? {
                Next::Step => {}
                Next::Stop(reason) => break reason,
            }
        };
        if state.agent.message_buffer_autoclear {
            self.core.clear_buffer(&self.actor, &self.agent).await?;
        }
        drop(guard);
        Ok((stop, state.usage))
    }

    /// Writes the run's record.
    pub async fn record(&self, status: RunStatus) -> Result<Run> {
        let mut metadata = JsonObject::new();
        metadata.insert("run_type".into(), self.sink.run_type().into());
        let run = Run {
            id: self.run_id.clone(),
            status,
            created_at: self.created_at,
            completed_at: None,
            agent_id: self.agent.clone(),
            base_template_id: None,
            background: Some(self.background),
            metadata: Some(metadata),
            request_config: Some(self.config.clone()),
            stop_reason: None,
            callback_url: self.callback_url.clone(),
            callback_sent_at: None,
            callback_status_code: None,
            callback_error: None,
            ttft_ns: None,
            total_duration_ns: None,
        };
        let mut tx = self.core.store.write().await?;
        runs::insert(&mut tx, &self.actor, &run).await?;
        tx.commit().await?;
        Ok(run)
    }

    async fn load(&self, agent: Option<Agent>, input: Vec<MessageCreate>) -> Result<State> {
        let core = &self.core;
        let mut conn = core.store.read().await?;
        let agent = match agent {
            Some(agent) => agent,
            None => agents::get(&mut conn, &self.actor, &self.agent)
                .await?
                .ok_or_else(|| CoreError::missing("Agent", &self.agent))?,
        };
        let stored = blocks::of_agent(&mut conn, &self.actor, &self.agent).await?;
        let tools: Vec<Arc<Tool>> =
            tool_store::of_agent(&mut conn, &self.actor, &self.agent).await?.into_iter().map(Arc::new).collect();
        let context = match core.contexts.get(&self.agent, agent.version) {
            Some(context) => (*context).clone(),
            None => core.load_context(&mut conn, &self.actor, &agent).await?,
        };
        drop(conn);
        let pending = input
            .into_iter()
            .map(|create| input::to_message(&core.env, &self.agent, Some(&self.run_id), create))
            .collect();
        Ok(State {
            specs: model_call::specs(&agent, tools.iter().map(|tool| &**tool)),
            agent,
            tools,
            working: Arc::new(Mutex::new(Working::new(stored))),
            context,
            pending,
            usage: TurnUsage::default(),
            ttft: None,
        })
    }

    async fn step(&self, state: &mut State, last: bool) -> Result<Next> {
        let began = Instant::now();
        let started_at = self.core.env.now();
        let step_id = StepId::from_uuid(self.core.env.uuid());
        let rewritten = self.refresh_prompt(state);
        let mut message = Message::new(
            MessageId::from_uuid(self.core.env.uuid()),
            self.agent.clone(),
            MessageRole::Assistant,
            started_at,
        );
        message.step_id = Some(step_id.clone());
        message.run_id = Some(self.run_id.clone());
        message.model = Some(state.agent.llm_config.model.clone());

        let called = self.ask(state, &message).await;
        let Answer { completion, took, ttft, shown } = match called {
            Ok(answer) => answer,
            Err(error) => {
                self.record_failed_step(state, &step_id, started_at, began, &error).await;
                return Err(error);
            }
        };
        if state.ttft.is_none() {
            state.ttft = ttft;
        }
        answer::fill(&mut message, &completion);
        if thoughts::asked(&state.agent) {
            thoughts::take(&mut message);
        }
        let empty = answer::is_empty(&completion);
        self.count(state, &completion);

        for _ in 0..BLOCK_RETRIES {
            let tool_began = Instant::now();
            let runs = self.run_tools(state, message.tool_calls.as_deref().unwrap_or_default()).await;
            let tools_took = if runs.is_empty() { Duration::ZERO } else { tool_began.elapsed() };
            let next = next(state, &message, &runs, empty, last);
            let tool_message = tool_message(&self.core, &message, &runs);

            let mut added = state.pending.clone();
            if !empty {
                added.push(message.clone());
            }
            added.extend(tool_message.clone());
            let stop = if let Next::Stop(reason) = &next { Some(*reason) } else { None };
            let step = self.step_record(state, &step_id, started_at, &completion, stop);
            let metrics = StepMetrics {
                id: step_id.clone(),
                provider_id: None,
                run_id: Some(self.run_id.clone()),
                agent_id: Some(self.agent.clone()),
                step_start_ns: started_at.timestamp_nanos_opt(),
                llm_request_start_ns: started_at.timestamp_nanos_opt(),
                llm_request_ns: Some(nanos(took)),
                tool_execution_ns: (!runs.is_empty()).then(|| nanos(tools_took)),
                step_ns: Some(nanos(began.elapsed())),
                base_template_id: None,
                template_id: None,
                project_id: state.agent.project_id.clone(),
            };
            let trace = self.trace(&step_id, &completion);
            let tools_used: Vec<ToolId> = runs.iter().filter_map(|run| run.tool.clone()).collect();
            let end = stop.map(|reason| self.run_end(state, RunStatus::Completed, reason));
            let before: Vec<MessageId> = context_ids(&state.context);
            let record = StepRecord {
                agent: &self.agent,
                before: &before,
                version: state.agent.version,
                added: &added,
                system: rewritten.then_some(&*state.context.system),
                step: &step,
                metrics: &metrics,
                trace: &trace,
                tools_used: &tools_used,
                end: end.as_ref().map(|end| (&self.run_id, end)),
                finished: end.as_ref().map(|end| (end.completed_at, self.milliseconds())),
            };
            let mut working = state.working.lock().clone();
            match self.core.commit_step(&self.actor, &record, &mut working).await? {
                Committed::BlockChanged => {
                    let mut conn = self.core.store.read().await?;
                    let fresh = blocks::of_agent(&mut conn, &self.actor, &self.agent).await?;
                    *state.working.lock() = Working::new(fresh);
                }
                Committed::Yes { version, context } => {
                    *state.working.lock() = working;
                    self.keep(state, version, &context, added).await?;
                    if !empty {
                        self.sink.message(&message, &shown).await;
                    }
                    if let Some(tool_message) = &tool_message {
                        self.sink.message(tool_message, &[]).await;
                    }
                    return Ok(next);
                }
            }
        }
        Err(CoreError::Conflict("A shared memory block was changed too often while the agent edited it".into()))
    }

    /// Takes a written step into the turn's view of the context and keeps it for the next turn.
    async fn keep(&self, state: &mut State, version: i64, context: &[MessageId], added: Vec<Message>) -> Result<()> {
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

    /// Writes the system prompt anew when memory changed or its time is stale. Returns whether it did.
    fn refresh_prompt(&self, state: &mut State) -> bool {
        let now = self.core.env.now();
        let written = state.context.system.updated_at.unwrap_or(state.context.system.created_at);
        let blocks = state.working.lock().blocks();
        let fixed = prompt::fixed_part(&state.agent.system, &blocks, &state.agent.tool_rules);
        let age = (now - written).to_std().unwrap_or_default();
        let current = state.context.system.text();
        let memory_same = prompt::is_current(&current, &fixed);
        if memory_same && age < self.core.config.prompt_refresh {
            return false;
        }
        if !memory_same {
            state.context.memory_changed = now;
        }
        let in_view = i64::try_from(state.context.messages.len()).unwrap_or(i64::MAX);
        let facts = prompt::Facts {
            now,
            memory_changed: state.context.memory_changed,
            recall_messages: (state.context.total - in_view - 1).max(0),
            timezone: state.agent.timezone.as_deref().unwrap_or("UTC"),
        };
        let mut system = (*state.context.system).clone();
        system.content = vec![mneme_domain::content::ContentPart::text(prompt::join(&fixed, facts))];
        system.updated_at = Some(now);
        state.context.system = Arc::new(system);
        true
    }

    /// Calls the model until it gives a usable answer, making room in the context when that is what it lacks.
    async fn ask(&self, state: &mut State, message: &Message) -> Result<Answer> {
        let aloud = thoughts::asked(&state.agent);
        let mut bad = 0;
        let mut compactions = 0;
        if self.core.is_too_long(&state.agent, &state.context, &state.pending, &state.specs) {
            compactions += 1;
            self.compact(state).await?;
        }
        loop {
            let provider = self.core.models.provider_of(&state.agent.llm_config)?;
            let system = state.context.system.text();
            let messages = state.context.messages.iter().map(|message| &**message).chain(&state.pending);
            let chat = history::to_chat(&system, messages);
            let request = model_call::request(&state.agent, chat, state.specs.clone());
            match model_call::call(self.core.models.client(), provider, &request, message, aloud, &self.sink).await {
                Ok(answer) if answer::is_empty(&answer.completion) && bad + 1 < BAD_ANSWERS => bad += 1,
                Ok(answer) => return Ok(answer),
                Err(LlmError::ContextOverflow { .. }) if compactions < COMPACTIONS => {
                    compactions += 1;
                    self.compact(state).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn compact(&self, state: &mut State) -> Result<()> {
        let compacted = self.core.compact(&self.actor, &state.agent, &state.context, &state.specs).await?;
        if let Some(context) = compacted {
            state.agent.version = context.version;
            state.context = context;
        }
        Ok(())
    }

    async fn run_tools(&self, state: &State, calls: &[StoredToolCall]) -> Vec<ToolRun> {
        let caller = Caller { core: &self.core, actor: &self.actor, agent: &state.agent, tools: &state.tools };
        caller.run(calls, &state.working).await
    }

    fn count(&self, state: &mut State, completion: &Completion) {
        state.usage.step_count += 1;
        let (prompt, completed, total) = self.tokens(state, completion);
        state.usage.prompt_tokens += prompt;
        state.usage.completion_tokens += completed;
        state.usage.total_tokens += total;
        state.context.tokens = u64::try_from(total).ok();
    }

    /// The step's tokens: as the provider counted, else as we do.
    fn tokens(&self, state: &State, completion: &Completion) -> (i64, i64, i64) {
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        match completion.usage {
            Some(usage) => (signed(usage.prompt_tokens), signed(usage.completion_tokens), signed(usage.total_tokens)),
            None => {
                let system = state.context.system.text();
                let messages = state.context.messages.iter().map(|message| &**message).chain(&state.pending);
                let chat = history::to_chat(&system, messages);
                let prompt = mneme_llm::tokens::count_messages(&chat, &state.specs);
                let words = mneme_llm::tokens::count(completion.text.as_deref().unwrap_or_default())
                    + completion.tool_calls.iter().map(|call| mneme_llm::tokens::count(&call.arguments)).sum::<usize>();
                let (prompt, words) = (signed(prompt as u64), signed(words as u64));
                (prompt, words, prompt + words)
            }
        }
    }

    fn step_record(
        &self,
        state: &State,
        id: &StepId,
        created_at: Timestamp,
        completion: &Completion,
        stop: Option<StopReason>,
    ) -> Step {
        let (prompt, completed, total) = self.tokens(state, completion);
        let details = completion.usage.and_then(|usage| usage.reasoning_tokens).map(|count| {
            let mut details = JsonObject::new();
            details.insert("reasoning_tokens".into(), count.into());
            details
        });
        let mut step = self.bare_step(state, id, created_at);
        step.prompt_tokens = Some(prompt);
        step.completion_tokens = Some(completed);
        step.total_tokens = Some(total);
        step.completion_tokens_details = details;
        step.stop_reason = stop;
        step.status = Some(StepStatus::Success);
        step
    }

    fn bare_step(&self, state: &State, id: &StepId, created_at: Timestamp) -> Step {
        let config = &state.agent.llm_config;
        Step {
            id: id.clone(),
            origin: None,
            organization_id: Some(self.actor.org.to_string()),
            provider_id: None,
            run_id: Some(self.run_id.clone()),
            agent_id: Some(self.agent.clone()),
            provider_name: config.provider_name.clone(),
            provider_category: config.provider_category.clone(),
            model: Some(config.model.clone()),
            model_endpoint: config.model_endpoint.clone(),
            context_window_limit: Some(i64::from(config.context_window)),
            completion_tokens: None,
            prompt_tokens: None,
            total_tokens: None,
            completion_tokens_details: None,
            stop_reason: None,
            tags: Vec::new(),
            tid: None,
            trace_id: None,
            messages: Vec::new(),
            feedback: None,
            project_id: state.agent.project_id.clone(),
            error_type: None,
            error_data: None,
            status: None,
            created_at,
        }
    }

    fn trace(&self, step: &StepId, completion: &Completion) -> ProviderTrace {
        let now = self.core.env.now();
        ProviderTrace {
            created_by_id: Some(self.actor.user.to_string()),
            last_updated_by_id: Some(self.actor.user.to_string()),
            created_at: now,
            updated_at: Some(now),
            id: TraceId::from_uuid(self.core.env.uuid()),
            request_json: completion.request_json.clone(),
            response_json: completion.response_json.clone(),
            step_id: Some(step.clone()),
        }
    }

    fn run_end(&self, state: &State, status: RunStatus, reason: StopReason) -> RunEnd {
        RunEnd {
            status,
            stop_reason: Some(reason),
            completed_at: self.core.env.now(),
            ttft_ns: state.ttft.map(nanos),
            total_duration_ns: Some(nanos(self.began.elapsed())),
            error: None,
        }
    }

    fn milliseconds(&self) -> i64 {
        // A finished run took some time, however fast it was.
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX).max(1)
    }

    async fn record_failed_step(
        &self,
        state: &State,
        id: &StepId,
        created_at: Timestamp,
        began: Instant,
        error: &CoreError,
    ) {
        let mut step = self.bare_step(state, id, created_at);
        step.status = Some(StepStatus::Failed);
        step.stop_reason = Some(StopReason::LlmApiError);
        step.error_type = Some(error_kind(error).into());
        step.error_data = Some(error_data(error));
        let metrics = StepMetrics {
            id: id.clone(),
            provider_id: None,
            run_id: Some(self.run_id.clone()),
            agent_id: Some(self.agent.clone()),
            step_start_ns: created_at.timestamp_nanos_opt(),
            llm_request_start_ns: created_at.timestamp_nanos_opt(),
            llm_request_ns: Some(nanos(began.elapsed())),
            tool_execution_ns: None,
            step_ns: Some(nanos(began.elapsed())),
            base_template_id: None,
            template_id: None,
            project_id: state.agent.project_id.clone(),
        };
        let written: Result<()> = async {
            let mut tx = self.core.store.write().await?;
            steps::insert(&mut tx, &self.actor, &step, &metrics, None, &[]).await?;
            Ok(tx.commit().await?)
        }
        .await;
        if let Err(error) = written {
            tracing::warn!(%error, "a failed step could not be recorded");
        }
    }

    async fn end_early(&self, status: RunStatus, reason: StopReason, error: Option<&CoreError>) {
        let end = RunEnd {
            status,
            stop_reason: Some(reason),
            completed_at: self.core.env.now(),
            ttft_ns: None,
            total_duration_ns: Some(nanos(self.began.elapsed())),
            error: error.map(error_data),
        };
        let written: Result<()> = async {
            let mut tx = self.core.store.write().await?;
            runs::finish(&mut tx, &self.actor, &self.run_id, &end).await?;
            Ok(tx.commit().await?)
        }
        .await;
        if let Err(error) = written {
            tracing::warn!(%error, run = %self.run_id, "the end of a run could not be recorded");
        }
    }
}

/// What follows a step.
fn next(state: &State, message: &Message, runs: &[ToolRun], empty: bool, last: bool) -> Next {
    if empty {
        return Next::Stop(StopReason::InvalidLlmResponse);
    }
    let calls = message.tool_calls.as_deref().unwrap_or_default();
    if calls.is_empty() {
        return Next::Stop(StopReason::EndTurn);
    }
    let ends =
        |call: &StoredToolCall, run: &ToolRun| {
            run.tool_return.status == mneme_domain::message::ToolStatus::Success
                && state.agent.tool_rules.iter().any(
                    |rule| matches!(rule, ToolRule::ExitLoop { tool_name, .. } if *tool_name == call.function.name),
                )
        };
    if calls.iter().zip(runs).any(|(call, run)| ends(call, run)) {
        // The answering tool of the older architectures is their way to say "done".
        let answered = calls.iter().any(|call| call.function.name == "send_message");
        return Next::Stop(if answered { StopReason::EndTurn } else { StopReason::ToolRule });
    }
    if last { Next::Stop(StopReason::MaxSteps) } else { Next::Step }
}

fn tool_message(core: &Core, assistant: &Message, runs: &[ToolRun]) -> Option<Message> {
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

fn context_ids(context: &CachedContext) -> Vec<MessageId> {
    std::iter::once(&context.system).chain(&context.messages).map(|message| message.id.clone()).collect()
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn error_kind(error: &CoreError) -> &'static str {
    match error {
        CoreError::Llm(failure) => failure.kind,
        CoreError::Unavailable(_) => "unavailable",
        CoreError::Internal(_) => "internal_error",
        _ => "invalid_request",
    }
}

/// An error as a run or step remembers it; defects of ours keep their text for the log.
pub fn error_data(error: &CoreError) -> JsonObject {
    let text = match error {
        CoreError::Internal(_) => "An internal server error occurred".to_owned(),
        other => other.to_string(),
    };
    let mut data = JsonObject::new();
    data.insert("type".into(), error_kind(error).into());
    data.insert("message".into(), text.into());
    data
}
