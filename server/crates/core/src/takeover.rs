//! What a server does about the runs of servers that are gone: it goes on with those that have no client, ends the others,
//! and tells callback addresses that were not told.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use mneme_domain::{
    Actor, JsonObject, Role, RunId,
    run::{RunStatus, StopReason},
};
use mneme_store::{
    Engine, batches,
    runs::{self, RunEnd, lease},
};

use crate::{Core, CoreError, Result, supervise::guarded};

/// Runs looked at in one go.
const SWEEP: i64 = 100;
/// How often a run is begun again. What kills its server every time must not do so for ever.
const TAKEOVERS: i64 = 5;
/// The longest time between two signs of life.
const BEAT: Duration = Duration::from_secs(2);
/// How often a server that is alone looks for runs whose end it could not write.
const LOOK: Duration = Duration::from_secs(30);

/// What is said of a run that cannot go on for a reason of the server's own.
pub(crate) const LOST: &str = "The run cannot go on: an internal server error occurred";

impl Core {
    /// Says that this server is alive, and takes over what others left behind. From here on PostgreSQL is told so again
    /// and again; on SQLite there is one server, so all others are known to be gone, now.
    pub(crate) async fn begin_leases(self: &Arc<Self>) -> Result<()> {
        let alone = self.store.engine() == Engine::Sqlite;
        let mut tx = self.store.write().await?;
        if alone {
            lease::leave_others(&mut tx, &self.replica).await?;
        }
        lease::beat(&mut tx, &self.replica, self.lease_micros()).await?;
        tx.commit().await?;
        self.sweep().await?;
        tokio::spawn(Self::live_on(Arc::downgrade(self), if alone { LOOK } else { self.beat() }));
        Ok(())
    }

    /// Gives everything back that is still this server's.
    pub(crate) async fn end_leases(&self) {
        let left: Result<()> = async {
            let mut tx = self.store.write().await?;
            lease::leave(&mut tx, &self.replica).await?;
            batches::lease::leave(&mut tx, &self.replica).await?;
            Ok(tx.commit().await?)
        }
        .await;
        if let Err(error) = left {
            tracing::warn!(%error, "leases could not be given back; they run out by themselves");
        }
    }

    fn lease_micros(&self) -> i64 {
        i64::try_from(self.config.run_lease.as_micros()).unwrap_or(i64::MAX)
    }

    fn beat(&self) -> Duration {
        (self.config.run_lease / 6).min(BEAT)
    }

    async fn live_on(core: Weak<Self>, pause: Duration) {
        loop {
            tokio::time::sleep(pause).await;
            let Some(core) = core.upgrade() else { return };
            if core.gone.is_cancelled() {
                return;
            }
            // Its pause is rest enough: a sign of life that comes later than that costs the runs.
            if let Err(error) = guarded("a sign of life", core.tick()).await.flatten() {
                tracing::warn!(%error, "the sign of life of this server could not be given");
            }
        }
    }

    /// One sign of life, and a look at what it means for this server's runs and for those of others.
    async fn tick(self: &Arc<Self>) -> Result<()> {
        let mut tx = self.store.write().await?;
        lease::beat(&mut tx, &self.replica, self.lease_micros()).await?;
        tx.commit().await?;
        let mine = self.live.ids();
        if !mine.is_empty() {
            let mut conn = self.store.read().await?;
            for run in lease::lost(&mut conn, &self.replica, &mine).await? {
                if let Some(live) = self.live.get(&run) {
                    live.lose();
                    live.cancel.cancel();
                }
            }
        }
        if self.closing.is_cancelled() { Ok(()) } else { self.sweep().await }
    }

    /// Takes over what nobody alive works on.
    async fn sweep(self: &Arc<Self>) -> Result<()> {
        loop {
            let (orphans, untold) = {
                let mut conn = self.store.read().await?;
                let orphans = lease::orphans(&mut conn, &self.replica, SWEEP).await?;
                (orphans, lease::untold(&mut conn, &self.replica, SWEEP).await?)
            };
            // A turn is among the live ones before its run is recorded, and until its end is.
            let orphans: Vec<RunId> = orphans.into_iter().filter(|run| self.live.get(run).is_none()).collect();
            for run in &orphans {
                self.take_over(run).await?;
            }
            for run in &untold {
                self.tell_late(run).await?;
            }
            if orphans.is_empty() {
                return self.sweep_batches().await;
            }
        }
    }

    async fn take_over(self: &Arc<Self>, id: &RunId) -> Result<()> {
        let mut tx = self.store.write().await?;
        let Some(claimed) = lease::claim(&mut tx, id, &self.replica).await? else { return Ok(()) };
        if claimed.run.status.is_terminal() {
            return Ok(());
        }
        let owner = Actor { org: claimed.org, user: claimed.user, role: Role::Member };
        let again = claimed.request.as_deref().filter(|_| claimed.takeovers <= TAKEOVERS);
        let Some(asked) = again else {
            // Its client went with its server, or it does not get on.
            let text = if claimed.request.is_some() {
                "The server stopped during this run each time that it was begun"
            } else {
                "The server stopped during this run"
            };
            runs::finish(&mut tx, &owner, id, &self.interrupted(text)).await?;
            return Ok(tx.commit().await?);
        };
        tx.commit().await?;
        tracing::info!(run = %id, "a run of a server that is gone goes on here");
        let resumed = guarded("the takeover of a run", self.resume_run(&owner, &claimed.run, asked, None)).await;
        if let Err(error) = resumed.flatten() {
            if matches!(error, CoreError::Unavailable(_)) {
                return Err(error);
            }
            tracing::warn!(run = %id, %error, "a run cannot be begun again");
            let text = match &error {
                CoreError::Internal(_) => LOST.to_owned(),
                told => told.to_string(),
            };
            let mut tx = self.store.write().await?;
            runs::finish(&mut tx, &owner, id, &self.interrupted(&text)).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn tell_late(self: &Arc<Self>, id: &RunId) -> Result<()> {
        let mut tx = self.store.write().await?;
        let Some(claimed) = lease::claim(&mut tx, id, &self.replica).await? else { return Ok(()) };
        tx.commit().await?;
        let owner = Actor { org: claimed.org, user: claimed.user, role: Role::Member };
        let core = self.clone();
        self.tasks.spawn(async move {
            if let Some(url) = &claimed.run.callback_url {
                core.call_back(&owner, &claimed.run, url).await;
            }
        });
        Ok(())
    }

    fn interrupted(&self, text: &str) -> RunEnd {
        let mut error = JsonObject::new();
        error.insert("type".into(), "interrupted".into());
        error.insert("message".into(), text.into());
        RunEnd {
            status: RunStatus::Failed,
            stop_reason: Some(StopReason::Error),
            completed_at: self.env.now(),
            ttft_ns: None,
            total_duration_ns: None,
            error: Some(error),
        }
    }
}
