//! Turns that go on without their client: started, read from any point, ended with a callback.

use std::{sync::Arc, time::Duration};

use futures::Stream;
use mneme_domain::{
    Actor, AgentId, EntityId, RunId,
    request::SendRequest,
    run::{Run, StopReason},
    step::TurnUsage,
};
use mneme_store::runs;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Mode, TurnEvent, runner::error_data};
use crate::{Core, CoreError, Result, live::LiveRun, outbound};

/// How long events wait to be written together.
const FLUSH_EVERY: Duration = Duration::from_millis(200);
/// Events written at once.
const FLUSH_AT: usize = 200;
/// How often a run of another replica is looked at for news.
const POLL: Duration = Duration::from_millis(250);
/// Events read from the database at once.
const READ: i64 = 500;
/// How often the callback address is tried.
const CALLBACK_TRIES: u32 = 4;

/// An event as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Message(Value),
    Stop(StopReason),
    Usage { prompt_tokens: i64, completion_tokens: i64, total_tokens: i64, step_count: i64 },
    Error(Value),
}

fn keep(event: TurnEvent, place: i64, run: &RunId) -> String {
    let kept = match event {
        TurnEvent::Message(mut envelope) => {
            envelope.seq_id = Some(place);
            Kept::Message(serde_json::to_value(&*envelope).unwrap_or_default())
        }
        TurnEvent::Stop(reason) => Kept::Stop(reason),
        TurnEvent::Usage(usage) => Kept::Usage {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.total_tokens,
            step_count: usage.step_count,
        },
        TurnEvent::Error(error) => Kept::Error(error_event(&error, run)),
        TurnEvent::Stored(value) => Kept::Message(value),
    };
    serde_json::to_string(&kept).unwrap_or_default()
}

fn error_event(error: &CoreError, run: &RunId) -> Value {
    let data = error_data(error);
    json!({
        "message_type": "error_message",
        "run_id": run,
        "error_type": data["type"],
        "message": data["message"],
        "detail": data["message"],
        "error": {"type": data["type"], "message": data["message"], "detail": data["message"]},
    })
}

fn shown(payload: &str) -> Option<TurnEvent> {
    match serde_json::from_str(payload).ok()? {
        Kept::Message(value) | Kept::Error(value) => Some(TurnEvent::Stored(value)),
        Kept::Stop(reason) => Some(TurnEvent::Stop(reason)),
        Kept::Usage { prompt_tokens, completion_tokens, total_tokens, step_count } => {
            Some(TurnEvent::Usage(TurnUsage { prompt_tokens, completion_tokens, total_tokens, step_count }))
        }
    }
}

impl Core {
    /// Starts a turn that goes on without its client; its run comes back at once.
    ///
    /// # Errors
    /// As [`Core::send`], for what is known before the turn begins; 400 for a callback address that may not be called.
    pub async fn send_async(self: &Arc<Self>, actor: &Actor, agent: &AgentId, request: SendRequest) -> Result<Run> {
        if let Some(url) = &request.callback_url {
            self.outbound.check(url).map_err(|error| CoreError::Invalid(format!("callback_url: {error}")))?;
        }
        let started = self.begin_background(actor, agent, request, Mode::Async).await?;
        Ok(started)
    }

    /// Starts a turn that goes on without its client and streams its events from the first.
    ///
    /// # Errors
    /// As [`Core::start_stream`].
    pub async fn start_background_stream(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        request: SendRequest,
    ) -> Result<(RunId, impl Stream<Item = TurnEvent> + Send + use<>)> {
        let mode = if request.stream_tokens == Some(true) { Mode::Tokens } else { Mode::Steps };
        let run = self.begin_background(actor, agent, request, mode).await?;
        let events = self.follow(actor.clone(), run.id.clone(), 0);
        Ok((run.id, events))
    }

    /// The events of a background run after a place, the ones to come included.
    ///
    /// # Errors
    /// 404 for an unknown run, 400 for one that was not started in the background.
    pub async fn resume_stream(
        self: &Arc<Self>,
        actor: &Actor,
        run: &RunId,
        after: i64,
    ) -> Result<impl Stream<Item = TurnEvent> + Send + use<>> {
        let found = self.get_run(actor, run).await?;
        if found.background != Some(true) {
            return Err(CoreError::Invalid(
                "INVALID_ARGUMENT: Run was not created in background mode, so it cannot be retrieved.".into(),
            ));
        }
        Ok(self.follow(actor.clone(), run.clone(), after.max(0)))
    }

    async fn begin_background(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        request: SendRequest,
        mode: Mode,
    ) -> Result<Run> {
        let callback = request.callback_url.clone();
        let (turn, input, events) = self.prepare(actor, agent, request, mode, true).await?;
        let run = turn.record(mneme_domain::run::RunStatus::Created).await?;
        let live = self.live.begin(&run.id);
        let core = self.clone();
        let pumped = Pump { core: core.clone(), actor: actor.clone(), run: run.id.clone(), live, callback };
        self.tasks.spawn(async move {
            tokio::join!(turn.run(input), pumped.run(events));
        });
        Ok(run)
    }

    fn follow(self: &Arc<Self>, actor: Actor, run: RunId, after: i64) -> impl Stream<Item = TurnEvent> + Send + use<> {
        let core = self.clone();
        async_stream::stream! {
            let mut place = after;
            if let Some(live) = core.live.get(&run) {
                let mut progress = live.progress();
                loop {
                    let done = progress.borrow_and_update().1;
                    for payload in live.after(place) {
                        place += 1;
                        if let Some(event) = shown(&payload) {
                            yield event;
                        }
                    }
                    if done || progress.changed().await.is_err() {
                        return;
                    }
                }
            }
            // It is over, or another replica runs it.
            loop {
                let over = core.get_run(&actor, &run).await.map_or(true, |run| run.status.is_terminal());
                let read = async {
                    let mut conn = core.store.read().await?;
                    runs::events::after(&mut conn, &actor, &run, place, READ).await
                };
                match read.await {
                    Ok(events) if events.is_empty() && over => return,
                    Ok(events) if events.is_empty() => tokio::time::sleep(POLL).await,
                    Ok(events) => {
                        for (at, payload) in events {
                            place = at;
                            if let Some(event) = shown(&payload) {
                                yield event;
                            }
                        }
                    }
                    Err(error) => {
                        yield TurnEvent::Error(error.into());
                        return;
                    }
                }
            }
        }
    }

    /// Ends runs of an agent: the ones named, else all that are not over. What could be ended comes back.
    ///
    /// # Errors
    /// 404 for an unknown agent or a run that is not the agent's.
    pub async fn cancel_runs(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        named: Option<Vec<RunId>>,
    ) -> Result<Vec<(RunId, &'static str)>> {
        self.require_agent(actor, agent).await?;
        let active = {
            let filter = runs::RunFilter { agent_ids: vec![agent.clone()], active: true, ..runs::RunFilter::default() };
            let mut conn = self.store.read().await?;
            runs::list(&mut conn, actor, &filter, &mneme_domain::Page::all()).await?
        };
        let chosen: Vec<RunId> = match named {
            None => active.iter().map(|run| run.id.clone()).collect(),
            Some(named) => {
                for id in &named {
                    if self.get_run(actor, id).await?.agent_id != *agent {
                        return Err(CoreError::missing("Run", id));
                    }
                }
                named
            }
        };
        let mut outcome = Vec::new();
        for id in chosen {
            if !active.iter().any(|run| run.id == id) {
                outcome.push((id, "failed"));
                continue;
            }
            match self.live.get(&id) {
                Some(live) => {
                    live.cancel.cancel();
                    let mut progress = live.progress();
                    // The turn only has its end to write; a client that asks next shall see it.
                    let ended = progress.wait_for(|(_, done)| *done);
                    let _ = tokio::time::timeout(Duration::from_secs(5), ended).await;
                }
                None => self.end_elsewhere(actor, &id).await?,
            }
            outcome.push((id, "cancelled"));
        }
        Ok(outcome)
    }

    /// Ends the record of a run that this process does not run.
    async fn end_elsewhere(&self, actor: &Actor, id: &RunId) -> Result<()> {
        let end = runs::RunEnd {
            status: mneme_domain::run::RunStatus::Cancelled,
            stop_reason: Some(StopReason::Cancelled),
            completed_at: self.env.now(),
            ttft_ns: None,
            total_duration_ns: None,
            error: None,
        };
        let mut tx = self.store.write().await?;
        runs::finish(&mut tx, actor, id, &end).await?;
        Ok(tx.commit().await?)
    }
}

/// Carries a background turn's events into the log and the database, then tells the callback address.
struct Pump {
    core: Arc<Core>,
    actor: Actor,
    run: RunId,
    live: Arc<LiveRun>,
    callback: Option<String>,
}

impl Pump {
    async fn run(self, mut events: mpsc::Receiver<TurnEvent>) {
        let mut waiting: Vec<(i64, String)> = Vec::new();
        let mut flush = tokio::time::interval(FLUSH_EVERY);
        flush.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => {
                        let (place, payload) = self.live.push(|place| keep(event, place, &self.run));
                        waiting.push((place, payload.to_string()));
                    }
                    None => break,
                },
                _ = flush.tick(), if !waiting.is_empty() => self.flush(&mut waiting).await,
            }
            if waiting.len() >= FLUSH_AT {
                self.flush(&mut waiting).await;
            }
        }
        self.flush(&mut waiting).await;
        self.core.live.end(&self.run);
        if let Some(url) = &self.callback {
            self.call_back(url).await;
        }
    }

    async fn flush(&self, waiting: &mut Vec<(i64, String)>) {
        let written: Result<()> = async {
            let mut tx = self.core.store.write().await?;
            runs::events::append(&mut tx, &self.actor, &self.run, waiting).await?;
            Ok(tx.commit().await?)
        }
        .await;
        match written {
            Ok(()) => waiting.clear(),
            // They stay and are tried again with the next ones; readers have them from memory.
            Err(error) => tracing::warn!(run = %self.run, %error, "events of a background run could not be written"),
        }
    }

    async fn call_back(&self, url: &str) {
        let Ok(run) = self.core.get_run(&self.actor, &self.run).await else { return };
        let body = json!({
            "run_id": run.id.as_str(),
            "agent_id": run.agent_id.as_str(),
            "status": run.status,
            "stop_reason": run.stop_reason,
            "completed_at": run.completed_at,
            "metadata": run.metadata,
        });
        let (status, error) = match outbound::post(&self.core.outbound, url, &body, CALLBACK_TRIES).await {
            Ok(status) => (Some(i64::from(status)), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let recorded: Result<()> = async {
            let mut tx = self.core.store.write().await?;
            let now = self.core.env.now();
            runs::set_callback(&mut tx, &self.actor, &self.run, now, status, error.as_deref()).await?;
            Ok(tx.commit().await?)
        }
        .await;
        if let Err(error) = recorded {
            tracing::warn!(run = %self.run, %error, "the outcome of a callback could not be recorded");
        }
    }
}
