//! The agent loop: call the model, run its tools, write the step, and again until something ends the turn.

mod approve;
mod ask;
mod calls;
mod end;
mod lease;
mod next;
mod records;
mod room;
mod step;
mod tokens;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub use calls::specs as offered;
pub use end::error_data;
use mneme_domain::{
    Actor, AgentId, MessageId, RunId, Timestamp,
    agent::Agent,
    message::{Message, MessageRole},
    request::ClientTool,
    run::{RequestConfig, RunStatus, StopReason},
    step::TurnUsage,
    tool::Tool,
};
use mneme_llm::ToolSpec;
use mneme_store::{agents, runs};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::{
    Logprobs, TurnEvent,
    approval::Guard,
    desk::Desk,
    host::Working,
    input::{self, Input},
    rules::{Offer, Trail},
    sink::Sink,
    told::Told,
};
use crate::{
    Core, CoreError, Result, api::Chain, context::cache::CachedContext, locks::AgentGuard, supervise::guarded,
};

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
    /// What led to the turn.
    pub chain: Arc<Chain>,
    /// What the run was asked for, in a form that another server can begin it from.
    pub request: Option<String>,
    /// What was done of the run before this server took it over.
    pub done: Done,
    /// Tools that the client runs.
    pub client_tools: Vec<ClientTool>,
    /// The handle of the model, if it is not the agent's own.
    pub model: Option<String>,
    /// What the request says about the model calls.
    pub told: Told,
    /// Where a run of a batch asks its model.
    pub desk: Option<Arc<Desk>>,
}

/// What of a run is written already.
#[derive(Debug, Clone, Copy, Default)]
pub struct Done {
    /// When the run was recorded, if it was.
    pub since: Option<Timestamp>,
    /// What its steps used.
    pub usage: TurnUsage,
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
    chain: Arc<Chain>,
    request: Option<String>,
    done: Done,
    client_tools: Vec<ClientTool>,
    model: Option<String>,
    told: Told,
    logprobs: Logprobs,
    desk: Option<Arc<Desk>>,
    sink: Sink,
    began: Instant,
    created_at: Timestamp,
}

/// What a turn knows while it runs.
struct State {
    agent: Agent,
    tools: Vec<Arc<Tool>>,
    /// Whether the agent has folders.
    reads_files: bool,
    specs: Vec<ToolSpec>,
    working: Arc<Mutex<Working>>,
    context: CachedContext,
    /// Input that no step has written yet.
    pending: Vec<Message>,
    usage: TurnUsage,
    ttft: Option<Duration>,
    /// What was called in the turn so far.
    trail: Trail,
    /// What the next step offers.
    offer: Offer,
    /// Calls of the next step that wait for approval.
    guard: Guard,
}

/// How a turn begins.
enum Begin {
    /// With a step.
    Steps,
    /// It is over: a call that was approved ended it.
    Stop(StopReason),
    /// It was done before, by this run.
    Repeat(RunId),
}

/// What a step leads to.
enum Next {
    Step,
    Stop(StopReason),
    /// Nothing yet: the model's answer comes with its batch.
    Wait,
}

impl Turn {
    pub fn new(core: Arc<Core>, actor: Actor, order: Order, sink: Sink) -> Self {
        let Order {
            agent,
            run_id,
            config,
            max_steps,
            background,
            callback_url,
            seat,
            chain,
            request,
            done,
            client_tools,
            model,
            told,
            desk,
        } = order;
        let created_at = done.since.unwrap_or_else(|| core.env.now());
        let began = Instant::now();
        Self {
            core,
            actor,
            agent,
            run_id,
            config,
            max_steps,
            background,
            callback_url,
            seat,
            chain,
            request,
            done,
            client_tools,
            model,
            told,
            logprobs: Logprobs::default(),
            desk,
            sink,
            began,
            created_at,
        }
    }

    /// Has the turn's events written down when it asks for that.
    pub fn keep_with(&mut self, marks: mpsc::Sender<oneshot::Sender<()>>) {
        self.sink.keep_with(marks);
    }

    /// Tells the reader of something that happened before.
    pub async fn tell(&self, event: TurnEvent) {
        self.sink.send(event).await;
    }

    /// Where the turn leaves the log probabilities of its last answer's tokens.
    pub fn logprobs(&self) -> Logprobs {
        Arc::clone(&self.logprobs)
    }

    /// The run that the turn is recorded as.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// Runs the turn to its end and tells the reader how it ended. A background turn's run is recorded already.
    #[tracing::instrument(name = "turn", skip_all, fields(agent = %self.agent, run = %self.run_id))]
    pub async fn run(mut self, input: Input) {
        let seat = self.seat.take();
        let cancel = self.core.live.get(&self.run_id).map(|live| live.cancel.clone()).unwrap_or_default();
        // A turn that panics ends as one that fails: else its run would never end, and its client hear of success.
        let driven = guarded("a turn", self.drive(input, seat));
        let ended = tokio::select! {
            biased;
            ended = driven => ended.flatten(),
            () = cancel.cancelled() => return self.cancelled().await,
            () = self.sink.closed() => return self.cancelled().await,
            () = self.core.stopping.cancelled() => {
                // Whoever serves next goes on with it.
                if self.background {
                    return self.core.contexts.forget(&self.agent);
                }
                Err(CoreError::Unavailable("The server is shutting down".into()))
            }
        };
        if ended.is_err() && self.lost() {
            return self.given_up().await;
        }
        match ended {
            // It is taken again when the provider has answered.
            Ok(None) => {}
            Ok(Some((stop, usage))) => {
                self.sink.send(TurnEvent::Stop(stop)).await;
                self.sink.send(TurnEvent::Usage(usage)).await;
            }
            Err(error) => {
                let error = self.explained(error).await;
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
        if self.lost() {
            return self.given_up().await;
        }
        tracing::info!("the turn is cancelled");
        self.core.contexts.forget(&self.agent);
        self.end_early(RunStatus::Cancelled, StopReason::Cancelled, None).await;
        // A turn ends with its agent, too.
        if let Err(error @ CoreError::NotFound(_)) = self.core.require_agent(&self.actor, &self.agent).await {
            return self.sink.send(TurnEvent::Error(error)).await;
        }
        self.sink.send(TurnEvent::Stop(StopReason::Cancelled)).await;
        let usage = async {
            let mut conn = self.core.store.read().await?;
            runs::usage(&mut conn, &self.actor, &self.run_id).await
        };
        self.sink.send(TurnEvent::Usage(usage.await.ok().flatten().unwrap_or_default())).await;
    }

    /// None when the turn waits for its batch.
    async fn drive(&self, input: Input, seat: Option<Seat>) -> Result<Option<(StopReason, TurnUsage)>> {
        let (guard, agent) = self.take_turn(seat).await?;
        let Input { approval, messages } = input;
        let mut state = self.load(agent, messages).await?;
        match self.begin(&mut state, approval.as_ref()).await? {
            Begin::Steps => {}
            Begin::Stop(reason) => return Ok(Some((reason, state.usage))),
            Begin::Repeat(run) => return self.repeat(&run).await.map(Some),
        }
        let mut number = u32::try_from(self.done.usage.step_count).unwrap_or(u32::MAX);
        let stop = loop {
            number = number.saturating_add(1);
            match self.step(&mut state, number >= self.max_steps).await? {
                Next::Step => {}
                Next::Stop(reason) => break reason,
                Next::Wait => {
                    self.give_back().await?;
                    return Ok(None);
                }
            }
        };
        drop(guard);
        // A sleep-time agent wakes no other, or two could keep each other awake for ever.
        if state.agent.enable_sleeptime == Some(true) && !self.chain.asleep && stop != StopReason::RequiresApproval {
            self.core.tasks.spawn(self.core.wake_sleepers(self.actor.clone(), self.agent.clone()));
        }
        Ok(Some((stop, state.usage)))
    }

    async fn load(&self, agent: Option<Agent>, input: Vec<mneme_domain::request::MessageCreate>) -> Result<State> {
        let core = &self.core;
        let mut conn = core.store.read().await?;
        let agent = match agent {
            Some(agent) => agent,
            None => agents::get(&mut conn, &self.actor, &self.agent)
                .await?
                .ok_or_else(|| CoreError::missing("Agent", &self.agent))?,
        };
        let (stored, tools, reads_files) = agents::equipment(&mut conn, &self.actor, &self.agent).await?;
        let context = match core.contexts.get(&self.agent, agent.version) {
            Some(context) => (*context).clone(),
            None => core.load_context(&mut conn, &self.actor, &agent).await?,
        };
        drop(conn);
        let agent = match &self.model {
            Some(handle) => core.served_by(&self.actor, &agent, handle).await?,
            None => agent,
        };
        // What came in is written with the first step.
        let input = if self.done.usage.step_count > 0 { Vec::new() } else { input };
        let pending = input
            .into_iter()
            .map(|create| input::to_message(&core.env, &self.agent, Some(&self.run_id), create))
            .collect();
        Ok(State {
            specs: calls::specs(&agent, &tools, &self.client_tools),
            guard: Guard {
                message: Message::new(
                    MessageId::from_uuid(core.env.uuid()),
                    self.agent.clone(),
                    MessageRole::Approval,
                    core.env.now(),
                ),
                names: Vec::new(),
                unseen: Vec::new(),
            },
            trail: Trail::default(),
            offer: Offer::default(),
            agent,
            tools,
            reads_files,
            working: Arc::new(Mutex::new(Working::new(stored))),
            context,
            pending,
            usage: self.done.usage,
            ttft: None,
        })
    }
}
