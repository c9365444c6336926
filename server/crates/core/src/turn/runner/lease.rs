//! The agent's turn: taken before the first step, and what happens when it is taken away.

use std::time::Duration;

use mneme_domain::{
    agent::Agent,
    run::{RunStatus, StopReason},
};
use mneme_store::{Engine, agents, batches, runs, runs::lease};

use super::{Seat, Turn, TurnEvent};
use crate::{CoreError, Result, failpoint, locks::AgentGuard};

/// How often a turn that another server is in is looked at.
const RETRY: Duration = Duration::from_millis(100);

impl Turn {
    /// Takes the agent's turn, waiting for it as long as it takes, and marks the run as under way. With the turn comes
    /// the agent, when it was read since.
    ///
    /// On SQLite there is one server, so the lock of this process is the turn: nothing more is written for it. On
    /// PostgreSQL the turn of a run that does not wait is taken by the statement that records the run.
    pub(super) async fn take_turn(&self, seat: Option<Seat>) -> Result<(AgentGuard, Option<Agent>)> {
        let guard = match seat {
            Some(Seat { guard, mut agent }) => {
                if self.core.store.engine() == Engine::Sqlite {
                    self.record(RunStatus::Running).await?;
                    return Ok((guard, Some(agent)));
                }
                if let Some(taken) = self.record_taking().await? {
                    // A turn of another server may have come between.
                    let same = taken.version == agent.version;
                    agent.fence = taken.fence;
                    return Ok((guard, same.then_some(agent)));
                }
                if self.core.config.reject_busy {
                    return Err(CoreError::Conflict(super::super::BUSY.into()));
                }
                guard
            }
            None => {
                if !self.background {
                    self.record(RunStatus::Created).await?;
                }
                self.core.locks.lock(&self.agent).await
            }
        };
        loop {
            let mut tx = self.core.store.write().await?;
            let taken = lease::take(&mut tx, &self.actor, &self.agent, &self.run_id).await?;
            if taken.is_none() {
                // Nobody gives back the turn of an agent that is gone.
                if agents::get(&mut tx, &self.actor, &self.agent).await?.is_none() {
                    return Err(CoreError::missing("Agent", &self.agent));
                }
                drop(tx);
                tokio::time::sleep(RETRY).await;
                continue;
            }
            if !lease::set_running(&mut tx, &self.actor, &self.run_id, &self.core.replica).await? {
                self.lose();
                return Err(CoreError::Conflict("The run is over, or another server's".into()));
            }
            tx.commit().await?;
            failpoint::hit("run.running");
            return Ok((guard, None));
        }
    }

    /// Gives the agent's turn back, while the run goes on waiting.
    pub(super) async fn give_back(&self) -> Result<()> {
        let mut tx = self.core.store.write().await?;
        batches::work::give_back(&mut tx, &self.actor, &self.agent, &self.run_id).await?;
        Ok(tx.commit().await?)
    }

    fn lose(&self) {
        if let Some(live) = self.core.live.get(&self.run_id) {
            live.lose();
        }
    }

    /// Whether the run was taken away.
    pub(super) fn lost(&self) -> bool {
        self.core.live.get(&self.run_id).is_some_and(|live| live.is_lost())
    }

    /// Ends a turn whose run was taken away: its end is no longer this server's to write.
    pub(super) async fn given_up(&self) {
        tracing::info!("the run was taken away");
        self.core.contexts.forget(&self.agent);
        if self.background {
            return;
        }
        let run = self.core.get_run(&self.actor, &self.run_id).await;
        if run.is_ok_and(|run| run.status == RunStatus::Cancelled) {
            self.sink.send(TurnEvent::Stop(StopReason::Cancelled)).await;
            let usage = async {
                let mut conn = self.core.store.read().await?;
                runs::usage(&mut conn, &self.actor, &self.run_id).await
            };
            self.sink.send(TurnEvent::Usage(usage.await.ok().flatten().unwrap_or_default())).await;
            return;
        }
        let error = CoreError::Unavailable("The run was ended because its server did not answer for too long".into());
        self.sink.send(TurnEvent::Error(error)).await;
    }
}
