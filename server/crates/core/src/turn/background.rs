//! Turns that go on without their client: started, read from any point, cancelled.

use std::{sync::Arc, time::Duration};

use futures::Stream;
use mneme_domain::{
    Actor, AgentId, RunId,
    request::SendRequest,
    run::{Run, RunStatus, StopReason},
};
use mneme_macros::boxed;
use mneme_store::{runs, runs::lease};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    Asked, Earlier, Mode, TurnEvent,
    desk::Desk,
    kept::{is_last, keep, shown},
    pump::Pump,
    runner::Done,
};
use crate::{Core, CoreError, Result, api::Chain, failpoint, supervise::guarded};

/// How long an end that a client asked for may take to be written.
const CANCEL: Duration = Duration::from_secs(5);

/// Places that a token stream leaves out when another server goes on with it.
const SKIPPED: i64 = 10_000;

/// How a stream reads a run that another server works on.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// How often it looks for news.
    pub poll: Duration,
    /// Events that it reads at once.
    pub batch: i64,
}

impl Default for Reading {
    fn default() -> Self {
        Self { poll: Duration::from_millis(250), batch: 500 }
    }
}

#[boxed]
impl Core {
    /// Starts a turn that goes on without its client; its run comes back at once.
    ///
    /// # Errors
    /// As [`Core::send`], for what is known before the turn begins; 400 for a callback address that may not be called.
    pub async fn send_async(self: &Arc<Self>, actor: &Actor, agent: &AgentId, request: SendRequest) -> Result<Run> {
        if let Some(url) = &request.callback_url {
            self.outbound.check(url).map_err(|error| CoreError::Invalid(format!("callback_url: {error}")))?;
        }
        self.begin_background(actor, agent, request, Mode::Async).await
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
        let events = self.follow(actor.clone(), run.id.clone(), 0, Reading::default());
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
        reading: Reading,
    ) -> Result<impl Stream<Item = TurnEvent> + Send + use<>> {
        let found = self.get_run(actor, run).await?;
        if found.background != Some(true) {
            return Err(CoreError::Invalid(
                "INVALID_ARGUMENT: Run was not created in background mode, so it cannot be retrieved.".into(),
            ));
        }
        Ok(self.follow(actor.clone(), run.clone(), after.max(0), reading))
    }

    async fn begin_background(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        request: SendRequest,
        mode: Mode,
    ) -> Result<Run> {
        let callback = request.callback_url.clone();
        let (mut turn, input, events) = self.prepare(actor, agent, request, mode, true, None).await?;
        let live = self.live.begin(turn.run_id());
        let recorded = turn.record(RunStatus::Created).await;
        if recorded.is_err() {
            self.live.end(turn.run_id());
        }
        let run = recorded?;
        failpoint::hit("run.accepted");
        let (marks, marked) = mpsc::channel(1);
        turn.keep_with(marks);
        let pump = Pump { core: self.clone(), actor: actor.clone(), run: run.id.clone(), live, callback };
        let (core, id) = (self.clone(), run.id.clone());
        self.tasks.spawn(async move {
            let both = async { tokio::join!(turn.run(input), pump.run(events, marked)) };
            core.let_go_if_fallen(&id, guarded("a background turn", both).await.map(drop));
        });
        Ok(run)
    }

    /// Goes on with a run whose server is gone, or that waited for its batch, from its last step that is written. The
    /// answer is the task that does so.
    ///
    /// # Errors
    /// When what it was asked for cannot be read, or the agent is gone.
    pub(crate) async fn resume_run(
        self: &Arc<Self>,
        actor: &Actor,
        run: &Run,
        asked: &str,
        desk: Option<Arc<Desk>>,
    ) -> Result<JoinHandle<()>> {
        let unreadable = |error| CoreError::Internal(format!("the request of {} cannot be read: {error}", run.id));
        let Asked { request, mode, chain, hops, asleep } = serde_json::from_str(asked).map_err(unreadable)?;
        let usage = {
            let mut conn = self.store.read().await?;
            runs::usage(&mut conn, actor, &run.id).await?.unwrap_or_default()
        };
        let done = Done { since: Some(run.created_at), usage };
        let chain = Arc::new(Chain { waiting: chain, hops, asleep, by_tool: false });
        let earlier = Earlier { run_id: run.id.clone(), chain, done, desk };
        let (mut turn, input, events) = self.prepare(actor, &run.agent_id, request, mode, true, Some(earlier)).await?;
        let kept = self.kept_events(actor, &run.id).await?;
        let missing = self.unkept_events(actor, run, &kept).await?;
        // A token stream may have shown more than was kept, of a step that is made again: no place means two things.
        let last = kept.last().map_or(0, |(place, _)| *place) + if mode == Mode::Tokens { SKIPPED } else { 0 };
        let live = self.live.resume(&run.id, kept, last);
        let (marks, marked) = mpsc::channel(1);
        turn.keep_with(marks);
        let callback = run.callback_url.clone();
        let pump = Pump { core: self.clone(), actor: actor.clone(), run: run.id.clone(), live, callback };
        let (core, id) = (self.clone(), run.id.clone());
        Ok(self.tasks.spawn(async move {
            let told = async move {
                for event in missing {
                    turn.tell(event).await;
                }
                turn.run(input).await;
            };
            let both = async { tokio::join!(told, pump.run(events, marked)) };
            core.let_go_if_fallen(&id, guarded("a background turn", both).await.map(drop));
        }))
    }

    /// A run whose turn or events were lost to a panic is not under way any more, so that it is taken up again as after a crash.
    fn let_go_if_fallen(&self, run: &RunId, outcome: Result<()>) {
        if outcome.is_err() {
            self.live.end(run);
        }
    }

    fn follow(
        self: &Arc<Self>,
        actor: Actor,
        run: RunId,
        after: i64,
        reading: Reading,
    ) -> impl Stream<Item = TurnEvent> + Send + use<> {
        let core = self.clone();
        async_stream::stream! {
            let mut place = after;
            let mut ended = false;
            if let Some(live) = core.live.get(&run) {
                let mut progress = live.progress();
                loop {
                    let done = progress.borrow_and_update().1;
                    for (at, payload) in live.after(place) {
                        place = at;
                        ended = is_last(&payload);
                        if let Some(event) = shown(&payload) {
                            yield event;
                        }
                    }
                    if done || progress.changed().await.is_err() {
                        break;
                    }
                }
            }
            // It is over, or another server works on it.
            while !ended && !core.stopping.is_cancelled() {
                let read = core.read_on(&actor, &run, place, reading.batch).await;
                match read {
                    Ok((events, over)) => {
                        let none = events.is_empty();
                        for (at, payload) in events {
                            place = at;
                            ended = is_last(&payload);
                            if let Some(event) = shown(&payload) {
                                yield event;
                            }
                        }
                        if none && over {
                            return;
                        }
                        if none {
                            tokio::time::sleep(reading.poll).await;
                        }
                    }
                    Err(error) => {
                        yield TurnEvent::Error(error);
                        return;
                    }
                }
            }
        }
    }

    /// The events after a place, and whether no more will come. Of a run that is over, what was not kept is made again.
    async fn read_on(
        self: &Arc<Self>,
        actor: &Actor,
        id: &RunId,
        place: i64,
        batch: i64,
    ) -> Result<(Vec<(i64, Arc<str>)>, bool)> {
        let run = self.get_run(actor, id).await?;
        let read = {
            let mut conn = self.store.read().await?;
            runs::events::after(&mut conn, actor, id, place, batch).await?
        };
        if !read.is_empty() || !run.status.is_terminal() {
            return Ok((read.into_iter().map(|(place, payload)| (place, payload.into())).collect(), false));
        }
        // Read again as a whole: its last events may have been kept since the read above.
        let kept = self.kept_events(actor, id).await?;
        let last = kept.last().map_or(0, |(place, _)| *place);
        let missing = self.unkept_events(actor, &run, &kept).await?;
        let places = last + 1..;
        let made = places.zip(missing).map(|(at, event)| (at, keep(event, at, id).into()));
        Ok((kept.into_iter().chain(made).filter(|(at, _)| *at > place).collect(), true))
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
        let only = named.clone();
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
            let cancelled = active.iter().any(|run| run.id == id) && self.cancel_run(actor, &id).await?;
            outcome.push((id, if cancelled { "cancelled" } else { "failed" }));
        }
        if let Some(run) = self.stop_waiting(actor, agent, only.as_deref()).await? {
            outcome.retain(|(id, _)| *id != run);
            outcome.push((run, "cancelled"));
        }
        Ok(outcome)
    }

    /// Ends a run, wherever it is under way. False when it was over already.
    ///
    /// # Errors
    /// 503 without a database.
    pub(crate) async fn cancel_run(self: &Arc<Self>, actor: &Actor, id: &RunId) -> Result<bool> {
        let Some(live) = self.live.get(id) else {
            return self.end_elsewhere(actor, id).await;
        };
        live.cancel.cancel();
        let mut progress = live.progress();
        // The turn only has its end to write; a client that asks next shall see it.
        let ended = progress.wait_for(|(_, done)| *done);
        let _ = tokio::time::timeout(CANCEL, ended).await;
        Ok(true)
    }

    /// Ends the record of a run that this process does not run, and takes the agent's turn from whoever does.
    async fn end_elsewhere(&self, actor: &Actor, id: &RunId) -> Result<bool> {
        let end = runs::RunEnd {
            status: RunStatus::Cancelled,
            stop_reason: Some(StopReason::Cancelled),
            completed_at: self.env.now(),
            ttft_ns: None,
            total_duration_ns: None,
            error: None,
        };
        let mut tx = self.store.write().await?;
        let ended = runs::finish(&mut tx, actor, id, &end).await?;
        if ended && let Some(run) = runs::get(&mut tx, actor, id).await? {
            lease::fence_off_run(&mut tx, &run.agent_id, id).await?;
        }
        tx.commit().await?;
        Ok(ended)
    }
}
