//! Carries a background turn's events into the log and the database, then tells the callback address.

use std::{sync::Arc, time::Duration};

use mneme_domain::{Actor, EntityId, RunId, run::Run};
use mneme_store::runs;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::{TurnEvent, kept::keep};
use crate::{Core, Result, failpoint, live::LiveRun, outbound};

/// How long events wait to be written together.
const FLUSH_EVERY: Duration = Duration::from_millis(200);
/// Events written at once.
const FLUSH_AT: usize = 200;
/// How often the callback address is tried.
const CALLBACK_TRIES: u32 = 4;

/// What carries them.
pub(super) struct Pump {
    pub core: Arc<Core>,
    pub actor: Actor,
    pub run: RunId,
    pub live: Arc<LiveRun>,
    pub callback: Option<String>,
}

type Waiting = Vec<(i64, String)>;

impl Pump {
    /// Carries until the turn is over. Who sends a mark is answered when everything before it is written.
    pub async fn run(self, mut events: mpsc::Receiver<TurnEvent>, mut marks: mpsc::Receiver<oneshot::Sender<()>>) {
        let mut waiting = Waiting::new();
        let mut flush = tokio::time::interval(FLUSH_EVERY);
        flush.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.take(event, &mut waiting),
                    None => break,
                },
                Some(written) = marks.recv() => {
                    while let Ok(event) = events.try_recv() {
                        self.take(event, &mut waiting);
                    }
                    self.flush(&mut waiting).await;
                    let _ = written.send(());
                }
                _ = flush.tick(), if !waiting.is_empty() => self.flush(&mut waiting).await,
            }
            if waiting.len() >= FLUSH_AT {
                self.flush(&mut waiting).await;
            }
        }
        failpoint::hit("run.over");
        self.flush(&mut waiting).await;
        self.core.live.end(&self.run);
        let Ok(run) = self.core.get_run(&self.actor, &self.run).await else { return };
        // A run that another server goes on with is its to tell of.
        if let Some(url) = self.callback.as_deref().filter(|_| run.status.is_terminal()) {
            self.core.call_back(&self.actor, &run, url).await;
        }
    }

    fn take(&self, event: TurnEvent, waiting: &mut Waiting) {
        let (place, payload) = self.live.push(|place| keep(event, place, &self.run));
        waiting.push((place, payload.to_string()));
    }

    async fn flush(&self, waiting: &mut Waiting) {
        if waiting.is_empty() {
            return;
        }
        failpoint::hit("events.unwritten");
        let written: Result<()> = async {
            let mut tx = self.core.store.write().await?;
            runs::events::append(&mut tx, &self.actor, &self.run, Some(&self.core.replica), waiting).await?;
            Ok(tx.commit().await?)
        }
        .await;
        failpoint::hit("events.written");
        match written {
            Ok(()) => waiting.clear(),
            // They stay and are tried again with the next ones; readers have them from memory.
            Err(error) => tracing::warn!(run = %self.run, %error, "events of a background run could not be written"),
        }
    }
}

impl Core {
    /// Tells an address that a run is over, several times if need be, and records what came of it. A server that dies
    /// before that is recorded leaves it to another one, so the address may be told twice.
    pub(crate) async fn call_back(&self, actor: &Actor, run: &Run, url: &str) {
        failpoint::hit("callback.untold");
        let body = json!({
            "run_id": run.id.as_str(),
            "agent_id": run.agent_id.as_str(),
            "status": run.status,
            "stop_reason": run.stop_reason,
            "completed_at": run.completed_at,
            "metadata": run.metadata,
        });
        let secret = self.config.callback_secret.as_ref();
        let now = self.env.now().timestamp();
        let (status, error) = match outbound::post(&self.outbound, url, &body, CALLBACK_TRIES, secret, now).await {
            Ok(status) => (Some(i64::from(status)), None),
            Err(error) => (None, Some(error.to_string())),
        };
        failpoint::hit("callback.told");
        let recorded: Result<()> = async {
            let mut tx = self.store.write().await?;
            runs::set_callback(&mut tx, actor, &run.id, self.env.now(), status, error.as_deref()).await?;
            Ok(tx.commit().await?)
        }
        .await;
        if let Err(error) = recorded {
            tracing::warn!(run = %run.id, %error, "the outcome of a callback could not be recorded");
        }
    }
}
