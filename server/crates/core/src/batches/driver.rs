//! Looks after a batch: prepares the turns that wait for nothing, hands their questions over, takes the answers, and
//! ends the batch when all its runs are over.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, stream};
use mneme_domain::{
    Actor, AgentId, BatchId, JsonObject, RunId,
    run::{RunStatus, StopReason},
};
use mneme_store::{
    agents, batches,
    batches::work::{self, Open},
    runs::{self, RunEnd},
};
use tokio::{task::JoinSet, time::Instant};

use super::Looked;
use crate::{
    Core, CoreError, Result, failpoint,
    supervise::guarded,
    takeover::LOST,
    turn::desk::{Desk, Left},
};

/// Turns of a batch that are worked on at the same time.
pub(super) const AT_ONCE: usize = 8;
/// How often a run is begun again whose server died in the middle of it.
const TAKEOVERS: i64 = 5;
/// How often a turn may fail to get on before its run is given up.
const STUCK: u32 = 20;
/// How often in a row the work on a batch may panic before its open runs are given up.
const FALLS: u32 = 5;
/// How long a batch rests that could not get on.
const REST: Duration = Duration::from_secs(3);
/// The longest time between two looks at a batch that waits.
const LONGEST: Duration = Duration::from_secs(60);

/// What became of a turn.
pub(super) enum Driven {
    /// Its run is over.
    Over,
    /// It wants to ask its model.
    Asks(RunId, Box<Left>),
    /// It could not get on now.
    Later(RunId),
}

/// Looks after one batch.
pub(super) struct Driver {
    pub core: Arc<Core>,
    pub actor: Actor,
    pub batch: BatchId,
    /// Providers that turned out to take no batches.
    pub without: HashSet<String>,
    /// When each upload is looked at next, and how long to wait after that.
    pub looks: HashMap<String, (Instant, Duration)>,
    /// How often in a row calls could not be handed over.
    pub refusals: u32,
    /// How often in a row the work panicked.
    falls: u32,
    /// How often each turn could not get on.
    stuck: HashMap<RunId, u32>,
    /// Turns that call their models themselves.
    direct: JoinSet<RunId>,
    busy: HashSet<RunId>,
}

impl Core {
    /// Looks after a batch until it is over or this server stops. None when it does already.
    pub(super) fn look_after(self: &Arc<Self>, actor: Actor, batch: &BatchId) -> Option<Arc<Looked>> {
        let looked = self.batches.begin(batch)?;
        let driver = Driver {
            core: self.clone(),
            actor,
            batch: batch.clone(),
            without: HashSet::new(),
            looks: HashMap::new(),
            refusals: 0,
            falls: 0,
            stuck: HashMap::new(),
            direct: JoinSet::new(),
            busy: HashSet::new(),
        };
        let (core, id, watched) = (self.clone(), batch.clone(), looked.clone());
        self.tasks.spawn(async move {
            // However it ends: a batch that nobody looks after is taken over.
            let _ = guarded("the care of a batch", driver.run(&watched)).await;
            core.batches.end(&id);
        });
        Some(looked)
    }
}

impl Driver {
    #[tracing::instrument(name = "batch", skip_all, fields(batch = %self.batch))]
    async fn run(mut self, looked: &Looked) {
        let closing = self.core.closing.clone();
        loop {
            // Never cut off: between a call that goes out and the record of it nothing must be lost.
            let done = guarded("the work on a batch", self.round()).await;
            self.falls = if done.is_err() { self.falls + 1 } else { 0 };
            let wait = match done {
                Ok(Ok(None)) => break,
                Ok(Ok(Some(wait))) => wait,
                // What is recorded is gone on with, as after a crash.
                Err(_) => REST.saturating_mul(self.falls).min(LONGEST),
                Ok(Err(CoreError::Conflict(reason))) => {
                    tracing::info!(reason, "the batch is over or another server's");
                    break;
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the batch cannot get on now");
                    REST
                }
            };
            looked.handed_over.send_replace(true);
            tokio::select! {
                // Whoever serves next goes on with it.
                () = closing.cancelled() => break,
                () = looked.wake.notified() => {}
                () = tokio::time::sleep(wait) => {}
                Some(ended) = self.direct.join_next(), if !self.direct.is_empty() => self.rest(ended.ok()),
            }
            while let Some(ended) = self.direct.try_join_next() {
                self.rest(ended.ok());
            }
        }
        self.direct.detach_all();
    }

    fn rest(&mut self, ended: Option<RunId>) {
        match ended {
            Some(run) => drop(self.busy.remove(&run)),
            // One that failed is not known by name; those that are still there are found again.
            None => self.busy.retain(|run| self.core.live.get(run).is_some()),
        }
    }

    /// Does what can be done now. How long to wait for more, or None when the batch is over.
    async fn round(&mut self) -> Result<Option<Duration>> {
        let (found, open, uploads) = {
            let mut conn = self.core.store.read().await?;
            if !work::is_owner(&mut conn, &self.actor, &self.batch, &self.core.replica).await? {
                return Err(CoreError::Conflict("another server looks after it".into()));
            }
            // What is counted after the look is not older than it.
            let open = work::open(&mut conn, &self.actor, &self.batch).await?;
            let found = batches::get(&mut conn, &self.actor, &self.batch).await?;
            (found, open, work::uploads(&mut conn, &self.actor, &self.batch).await?)
        };
        let Some(found) = found else { return Ok(None) };
        if found.status.is_terminal() || open.is_empty() {
            return self.end(found).await.map(|()| None);
        }
        if found.status == RunStatus::Created {
            let mut tx = self.core.store.write().await?;
            batches::set_running(&mut tx, &self.actor, &self.batch, self.core.env.now()).await?;
            tx.commit().await?;
        }
        if self.falls > FALLS {
            for one in open.iter().filter(|one| !self.busy.contains(&one.run)) {
                self.fail(&one.run, LOST).await?;
            }
            return Ok(Some(REST));
        }
        let mut got_on = false;
        for upload in uploads {
            got_on |= self.look_at(upload).await?;
        }
        let (ready, direct) = self.ready(&open).await?;
        for run in direct {
            self.begin_direct(run);
        }
        got_on |= !ready.is_empty();
        let turns = ready.into_iter().map(|run| (run, Arc::new(Desk::empty(false)))).collect();
        if !self.ask_all(turns).await? {
            return Ok(Some(REST));
        }
        if got_on {
            return Ok(Some(Duration::ZERO));
        }
        let now = Instant::now();
        let next = self.looks.values().map(|(at, _)| at.saturating_duration_since(now)).min();
        Ok(Some(next.unwrap_or(LONGEST).min(LONGEST)))
    }

    /// The runs that wait for nothing, one for each agent: those that ask with others, and those that ask by themselves.
    async fn ready(&self, open: &[Open]) -> Result<(Vec<RunId>, Vec<RunId>)> {
        let (mut ready, mut direct) = (Vec::new(), Vec::new());
        let mut seen: HashSet<&AgentId> = HashSet::new();
        for one in open {
            if !seen.insert(&one.agent) || self.busy.contains(&one.run) {
                continue;
            }
            if one.waits.as_ref().is_some_and(|(_, place)| place.step == one.steps) {
                continue;
            }
            if one.takeovers > TAKEOVERS {
                self.fail(&one.run, "The server stopped during this run each time that it was begun").await?;
                continue;
            }
            match self.takes_batches(&one.agent).await? {
                true => ready.push(one.run.clone()),
                false if self.busy.len() + direct.len() < AT_ONCE => direct.push(one.run.clone()),
                false => {}
            }
        }
        Ok((ready, direct))
    }

    async fn takes_batches(&self, agent: &AgentId) -> Result<bool> {
        let mut conn = self.core.store.read().await?;
        let Some(agent) = agents::get(&mut conn, &self.actor, agent).await? else { return Ok(false) };
        drop(conn);
        let models = &self.core.models;
        let Ok(provider) = self.core.provider_of(&self.actor, &agent.llm_config).await else { return Ok(false) };
        let place = models.client().batch_place(&provider, &agent.llm_config.model);
        Ok(place.is_some() && !self.without.contains(provider.name()))
    }

    fn begin_direct(&mut self, run: RunId) {
        self.busy.insert(run.clone());
        let (core, actor) = (self.core.clone(), self.actor.clone());
        self.direct.spawn(async move {
            core.drive(&actor, &run, Arc::new(Desk::empty(true))).await;
            run
        });
    }

    /// Takes turns, several at a time, and hands over what they want to ask.
    pub(super) async fn ask_all(&mut self, turns: Vec<(RunId, Arc<Desk>)>) -> Result<bool> {
        let (core, actor) = (self.core.clone(), self.actor.clone());
        let driven = stream::iter(turns).map(|(run, desk)| {
            let (core, actor) = (core.clone(), actor.clone());
            async move { core.drive(&actor, &run, desk).await }
        });
        let mut driven = Box::pin(driven.buffer_unordered(AT_ONCE));
        let mut gathered = super::uploads::Gathered::default();
        let mut all = true;
        while let Some(one) = driven.next().await {
            match one {
                Driven::Over => {}
                Driven::Later(run) => {
                    all = false;
                    self.stuck(run).await?;
                }
                Driven::Asks(run, left) => {
                    if let Some(full) = gathered.add(&self.core, &self.actor, run, *left).await? {
                        self.submit(full).await?;
                    }
                }
            }
        }
        for rest in gathered.rest() {
            self.submit(rest).await?;
        }
        Ok(all)
    }

    /// Counts a turn that could not get on. One that never does must not keep its batch from its end.
    async fn stuck(&mut self, run: RunId) -> Result<()> {
        if self.core.closing.is_cancelled() {
            return Ok(());
        }
        let count = self.stuck.entry(run.clone()).or_default();
        *count += 1;
        if *count > STUCK {
            self.fail(&run, "The turn could not be taken, again and again").await?;
        }
        Ok(())
    }

    /// Ends the batch, when it is not ended, and tells its address.
    async fn end(&self, found: mneme_domain::batch::Batch) -> Result<()> {
        let mut ended = found;
        if !ended.status.is_terminal() {
            let counts = ended.counts;
            let none_went_well = counts.completed == 0 && counts.failed > 0;
            ended.status = if none_went_well { RunStatus::Failed } else { RunStatus::Completed };
            let now = self.core.env.now();
            let mut tx = self.core.store.write().await?;
            if !batches::finish(&mut tx, &self.actor, &self.batch, ended.status, now).await? {
                return Ok(());
            }
            work::drop_uploads(&mut tx, &self.actor, &self.batch).await?;
            tx.commit().await?;
            ended.completed_at = Some(now);
            failpoint::hit("batch.over");
        }
        match &ended.callback_url {
            Some(url) if ended.callback_sent_at.is_none() => {
                self.core.call_back_of_batch(&self.actor, &ended, url).await
            }
            _ => Ok(()),
        }
    }

    async fn fail(&self, run: &RunId, text: &str) -> Result<()> {
        self.core.fail_run(&self.actor, run, text).await
    }
}

impl Core {
    /// Takes the turn of a batch's run.
    pub(super) async fn drive(self: &Arc<Self>, actor: &Actor, id: &RunId, desk: Arc<Desk>) -> Driven {
        let driven = match guarded("a turn of a batch", self.try_drive(actor, id, desk)).await {
            Ok(driven) => driven,
            Err(_) => self.fail_run(actor, id, LOST).await.map(|()| Driven::Over),
        };
        driven.unwrap_or_else(|error| {
            tracing::warn!(run = %id, %error, "a turn of a batch cannot be taken now");
            Driven::Later(id.clone())
        })
    }

    async fn try_drive(self: &Arc<Self>, actor: &Actor, id: &RunId, desk: Arc<Desk>) -> Result<Driven> {
        if self.closing.is_cancelled() {
            return Ok(Driven::Later(id.clone()));
        }
        let found = {
            let mut conn = self.store.read().await?;
            work::run(&mut conn, actor, id).await?
        };
        let Some((run, asked)) = found.filter(|(run, _)| !run.status.is_terminal()) else { return Ok(Driven::Over) };
        let asked = asked.ok_or_else(|| CoreError::Internal(format!("what {id} was asked for is gone")))?;
        match self.resume_run(actor, &run, &asked, Some(desk.clone())).await {
            // A turn that falls over leaves its run as it was.
            Ok(turn) => drop(turn.await),
            Err(error @ CoreError::Unavailable(_)) => return Err(error),
            Err(error) => self.fail_run(actor, id, &error.to_string()).await?,
        }
        if let Some(left) = desk.left() {
            return Ok(Driven::Asks(id.clone(), Box::new(left)));
        }
        let over = self.get_run(actor, id).await.map_or(true, |run| run.status.is_terminal());
        Ok(if over { Driven::Over } else { Driven::Later(id.clone()) })
    }

    async fn fail_run(&self, actor: &Actor, id: &RunId, text: &str) -> Result<()> {
        let mut error = JsonObject::new();
        error.insert("type".into(), "interrupted".into());
        error.insert("message".into(), text.into());
        let end = RunEnd {
            status: RunStatus::Failed,
            stop_reason: Some(StopReason::Error),
            completed_at: self.env.now(),
            ttft_ns: None,
            total_duration_ns: None,
            error: Some(error),
        };
        let mut tx = self.store.write().await?;
        runs::finish(&mut tx, actor, id, &end).await?;
        Ok(tx.commit().await?)
    }
}
