//! A turn: from a client's message to the agent's stop reason.
//!
//! Every turn runs in a task of its own, whatever its client waits for: the task owns the run's record and always
//! brings it to an end. A client that goes away closes the channel, which cancels a foreground turn.

mod answer;
mod approval;
mod background;
mod commit;
pub mod desk;
mod fallback;
mod fields;
mod heartbeats;
pub mod host;
mod images;
pub mod input;
mod kept;
mod model_call;
mod pump;
pub mod rules;
mod runner;
mod sink;
pub mod thoughts;
pub mod told;
mod tools;
mod waiting;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::Stream;
use mneme_domain::{
    Actor, AgentId, RunId,
    envelope::Envelope,
    request::SendRequest,
    run::{RequestConfig, StopReason},
    step::TurnUsage,
};
use mneme_macros::boxed;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::{Core, CoreError, Result, api::Chain, supervise::guarded};
pub use background::Reading;
use mneme_store::agents;
pub use model_call::{request, specs, tool_spec};
pub use runner::offered;
use runner::{Done, Order, Seat, Turn};
use sink::Sink;

/// How many events wait for a slow reader before the turn waits with them.
const EVENT_BUFFER: usize = 256;
/// What a client reads when the operator has busy agents refuse messages.
const BUSY: &str = "The agent is busy with another request; wait for its end or cancel it, then send this again";

/// What a run was asked for, as it is kept until the run is over.
#[derive(Serialize, Deserialize)]
struct Asked {
    request: SendRequest,
    mode: Mode,
    chain: Vec<AgentId>,
    #[serde(default)]
    hops: usize,
    #[serde(default)]
    asleep: bool,
}

/// A run that was begun before, by a server that is gone.
struct Earlier {
    run_id: RunId,
    chain: Arc<Chain>,
    done: Done,
    desk: Option<Arc<desk::Desk>>,
}

/// What happens in a turn, in order; `Stop`, `Usage` or `Error` come last.
#[derive(Debug)]
pub enum TurnEvent {
    /// A message, or in a token stream a piece of one.
    Message(Box<Envelope>),
    /// Why the turn ended.
    Stop(StopReason),
    /// What it cost.
    Usage(TurnUsage),
    /// It failed; nothing follows.
    Error(CoreError),
    /// An event of a background run, as it was first shown.
    Stored(serde_json::Value),
}

/// A finished turn.
#[derive(Debug)]
pub struct TurnResult {
    /// Its messages, without the client's own.
    pub messages: Vec<Envelope>,
    /// Why it ended.
    pub stop_reason: StopReason,
    /// What it cost.
    pub usage: TurnUsage,
    /// Its run.
    pub run_id: RunId,
    /// The log probabilities of its last answer's tokens, where they were asked for and the provider told them.
    pub logprobs: Option<Value>,
}

/// The events of a turn under way. Dropping it cancels the turn.
pub struct TurnStream {
    run_id: RunId,
    events: mpsc::Receiver<TurnEvent>,
    logprobs: Logprobs,
}

/// Where a turn leaves the log probabilities of its last answer's tokens.
type Logprobs = Arc<Mutex<Option<Value>>>;

impl TurnStream {
    /// The run that the turn is recorded as.
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }
}

impl Stream for TurnStream {
    type Item = TurnEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<TurnEvent>> {
        self.events.poll_recv(cx)
    }
}

/// How a turn's events are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// Nobody reads before the end.
    Whole,
    /// Whole messages as they are made.
    Steps,
    /// Tokens as they come.
    Tokens,
    /// Whole messages for a log that somebody may read later.
    Async,
}

impl Mode {
    fn run_type(self) -> &'static str {
        match self {
            Self::Whole => "send_message",
            Self::Steps | Self::Tokens => "send_message_streaming",
            Self::Async => "send_message_async",
        }
    }
}

#[boxed]
impl Core {
    /// Sends messages to an agent and waits for the end of its turn.
    ///
    /// # Errors
    /// 404 for an unknown agent, 400 for empty input, the provider's failure when the model cannot be called.
    pub async fn send(self: &Arc<Self>, actor: &Actor, agent: &AgentId, request: SendRequest) -> Result<TurnResult> {
        let mut stream = self.begin(actor, agent, request, Mode::Whole).await?;
        let run_id = stream.run_id.clone();
        let mut result = TurnResult {
            messages: Vec::new(),
            stop_reason: StopReason::EndTurn,
            usage: TurnUsage::default(),
            run_id,
            logprobs: None,
        };
        while let Some(event) = stream.events.recv().await {
            match event {
                TurnEvent::Message(envelope) => result.messages.push(*envelope),
                TurnEvent::Stop(reason) => result.stop_reason = reason,
                TurnEvent::Usage(usage) => result.usage = usage,
                TurnEvent::Error(error) => return Err(error),
                TurnEvent::Stored(_) => {}
            }
        }
        result.logprobs = stream.logprobs.lock().take();
        Ok(result)
    }

    /// Sends messages to an agent and streams what happens.
    ///
    /// # Errors
    /// As [`Core::send`], for what is known before the turn begins; later failures are events.
    pub async fn start_stream(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        request: SendRequest,
    ) -> Result<TurnStream> {
        let mode = if request.stream_tokens == Some(true) { Mode::Tokens } else { Mode::Steps };
        self.begin(actor, agent, request, mode).await
    }

    async fn begin(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        request: SendRequest,
        mode: Mode,
    ) -> Result<TurnStream> {
        let (turn, input, events) = self.prepare(actor, agent, request, mode, false, None).await?;
        let run_id = turn.run_id().clone();
        let logprobs = turn.logprobs();
        self.live.begin(&run_id);
        let core = self.clone();
        let ended = run_id.clone();
        self.tasks.spawn(async move {
            // However it ends: who looks after lost runs leaves those alone that are under way.
            let _ = guarded("a turn", turn.run(input)).await;
            core.live.end(&ended);
        });
        Ok(TurnStream { run_id, events, logprobs })
    }

    /// Checks a request and makes its turn, which the caller runs.
    async fn prepare(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        request: SendRequest,
        mode: Mode,
        background: bool,
        earlier: Option<Earlier>,
    ) -> Result<(Turn, input::Input, mpsc::Receiver<TurnEvent>)> {
        let chain = match &earlier {
            Some(earlier) => earlier.chain.clone(),
            // Nobody waits for it.
            None if mode == Mode::Async => Arc::new(crate::api::chain().let_go()),
            None => crate::api::chain(),
        };
        if earlier.is_none() && chain.waiting.contains(agent) {
            let reason = format!("Agent {agent} waits for this very tool call, so it cannot take a message from it");
            return Err(CoreError::Conflict(reason));
        }
        let config: RequestConfig = request.config();
        let max_steps = request.max_steps;
        let callback_url = request.callback_url.clone();
        // With the turn at hand, what is read now is still true when the turn begins.
        let mut guard = if earlier.is_some() { None } else { self.locks.try_lock(agent) };
        if earlier.is_none() && guard.is_none() && self.config.reject_busy {
            return Err(CoreError::Conflict(BUSY.into()));
        }
        let free = guard.is_some();
        if background {
            guard = None;
        }
        let found = {
            let mut conn = self.store.read().await?;
            agents::get(&mut conn, actor, agent).await?.ok_or_else(|| CoreError::missing("Agent", agent))?
        };
        if background && free && earlier.is_none() {
            self.refuse_if_waiting(actor, &found, &request).await?;
        }
        let seat = guard.map(|guard| Seat { guard, agent: found });
        let asked = (background && earlier.is_none()).then(|| request.clone());
        let client_tools = request.client_tools.clone().unwrap_or_default();
        let model = request.override_model.clone();
        let told = told::Told::of(&request);
        let mut input = input::parse(request)?;
        // A run that has taken steps has written what came in.
        if earlier.as_ref().is_none_or(|earlier| earlier.done.usage.step_count == 0) {
            self.fetch_images(&mut input.messages).await?;
        }
        let asked = match asked {
            Some(request) => Some(asked_for(request, &input, mode, &chain)?),
            None => None,
        };
        if self.closing.is_cancelled() {
            return Err(CoreError::Unavailable("The server is shutting down".into()));
        }
        let (run_id, done, desk) = match earlier {
            Some(earlier) => (earlier.run_id, earlier.done, earlier.desk),
            None => (RunId::from_uuid(self.env.uuid()), Done::default(), None),
        };
        let (sender, events) = mpsc::channel(EVENT_BUFFER);
        let sink = Sink::new(sender, mode, config.clone(), run_id.clone());
        let (agent, request) = (agent.clone(), asked);
        let order = Order {
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
        };
        Ok((Turn::new(self.clone(), actor.clone(), order, sink), input, events))
    }
}

/// What a run of a batch is to keep of its request.
///
/// # Errors
/// As [`input::parse`].
pub(crate) fn asked_in_batch(request: SendRequest) -> Result<String> {
    let input = input::parse(request.clone())?;
    asked_for(request, &input, Mode::Async, &Chain::default())
}

/// What a run is to keep of its request: with the input as it was read, so that images need not be fetched again.
fn asked_for(mut request: SendRequest, input: &input::Input, mode: Mode, chain: &Chain) -> Result<String> {
    let unwritable = |error: serde_json::Error| CoreError::Internal(format!("a request cannot be kept: {error}"));
    request.messages = Some(input.to_values().map_err(unwritable)?);
    request.input = None;
    let asked = Asked { request, mode, chain: chain.waiting.clone(), hops: chain.hops, asleep: chain.asleep };
    serde_json::to_string(&asked).map_err(unwritable)
}
