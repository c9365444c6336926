//! Batches: messages for many agents in one request, worked on without their client and handed over to providers'
//! batch APIs where they have one.
//!
//! Each entry is a run like any other, with the same steps and guarantees. What is different is how its model is asked:
//! the turn leaves its question and ends, many questions travel together, and the turn is taken again for the answer. So
//! an agent is free while its batch waits, which may be for a day. A batch belongs to the server that looks after it
//! (`driver`), and to another one when that is gone.

mod driver;
mod results;
mod uploads;

use std::{collections::HashMap, collections::HashSet, sync::Arc, time::Duration};

use mneme_domain::{
    Actor, AgentId, BatchId, JsonObject, Page, RunId,
    batch::{Batch, BatchCounts, BatchJob, CreateBatch},
    message::Message,
    run::{Run, RunStatus},
};
use mneme_macros::boxed;
use mneme_store::{agents, batches, messages};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::{Notify, watch};

use crate::{Core, CoreError, Result, failpoint, outbound, turn};

/// Entries of one batch.
const MOST: usize = 10_000;
/// How long the client of a new batch waits for its calls to be handed over. They are, also when that takes longer.
const HANDED_OVER: Duration = Duration::from_secs(10);
/// How often a callback address is tried.
const CALLBACK_TRIES: u32 = 4;

/// The batches that this server looks after.
#[derive(Default)]
pub struct Batches(Mutex<HashMap<BatchId, Arc<Looked>>>);

/// A batch that this server looks after.
pub(crate) struct Looked {
    /// Says that there is news of it.
    wake: Notify,
    /// Whether everything that could be handed over was, once.
    handed_over: watch::Sender<bool>,
}

impl Batches {
    /// Begins to look after a batch; None when somebody does.
    fn begin(&self, id: &BatchId) -> Option<Arc<Looked>> {
        let mut all = self.0.lock();
        if all.contains_key(id) {
            return None;
        }
        let looked = Arc::new(Looked { wake: Notify::new(), handed_over: watch::channel(false).0 });
        all.insert(id.clone(), looked.clone());
        Some(looked)
    }

    fn get(&self, id: &BatchId) -> Option<Arc<Looked>> {
        self.0.lock().get(id).cloned()
    }

    fn end(&self, id: &BatchId) {
        if let Some(looked) = self.0.lock().remove(id) {
            looked.handed_over.send_replace(true);
        }
    }
}

#[boxed]
impl Core {
    /// Begins a batch. It is recorded before this answers, and as a rule handed over to its providers.
    ///
    /// # Errors
    /// 404 for an agent that does not exist, 400 and 422 for entries that make no sense; nothing is begun then.
    pub async fn create_batch(self: &Arc<Self>, actor: &Actor, body: CreateBatch) -> Result<BatchJob> {
        if let Some(url) = &body.callback_url {
            self.outbound.check(url).map_err(|error| CoreError::Invalid(format!("callback_url: {error}")))?;
        }
        if body.requests.is_empty() || body.requests.len() > MOST {
            return Err(CoreError::field("requests", format!("a batch has 1 to {MOST} requests")));
        }
        if self.closing.is_cancelled() {
            return Err(CoreError::Unavailable("The server is shutting down".into()));
        }
        let known: HashSet<AgentId> = body.requests.iter().map(|entry| entry.agent_id.clone()).collect();
        let mut conn = self.store.read().await?;
        for agent in &known {
            agents::get(&mut conn, actor, agent).await?.ok_or_else(|| CoreError::missing("Agent", agent))?;
        }
        drop(conn);
        let now = self.env.now();
        let mut runs = Vec::with_capacity(body.requests.len());
        for (index, entry) in body.requests.into_iter().enumerate() {
            let mut metadata = JsonObject::new();
            metadata.insert("run_type".into(), "send_message_batch".into());
            let run = Run {
                id: RunId::from_uuid(self.env.uuid()),
                status: RunStatus::Created,
                created_at: now,
                completed_at: None,
                agent_id: entry.agent_id,
                base_template_id: None,
                background: Some(true),
                metadata: Some(metadata),
                request_config: Some(entry.request.config()),
                stop_reason: None,
                callback_url: None,
                callback_sent_at: None,
                callback_status_code: None,
                callback_error: None,
                ttft_ns: None,
                total_duration_ns: None,
            };
            runs.push((run, turn::asked_in_batch(entry.request).map_err(|error| at_entry(index, error))?));
        }
        let batch = Batch {
            id: BatchId::from_uuid(self.env.uuid()),
            user: actor.user.clone(),
            status: RunStatus::Created,
            counts: BatchCounts { total: i64::try_from(runs.len()).unwrap_or(i64::MAX), ..BatchCounts::default() },
            callback_url: body.callback_url,
            callback_sent_at: None,
            callback_status_code: None,
            callback_error: None,
            created_at: now,
            updated_at: now,
            completed_at: None,
        };
        let mut tx = self.store.write().await?;
        batches::insert(&mut tx, actor, &batch, &self.replica, &runs).await?;
        tx.commit().await?;
        failpoint::hit("batch.accepted");
        if let Some(looked) = self.look_after(actor.clone(), &batch.id) {
            let mut handed_over = looked.handed_over.subscribe();
            // However long it takes, the batch goes on.
            let _ = tokio::time::timeout(HANDED_OVER, handed_over.wait_for(|done| *done)).await;
        }
        self.get_batch(actor, &batch.id).await
    }

    /// A batch.
    ///
    /// # Errors
    /// 404 for an unknown batch.
    pub async fn get_batch(self: &Arc<Self>, actor: &Actor, id: &BatchId) -> Result<BatchJob> {
        let mut conn = self.store.read().await?;
        let found = batches::get(&mut conn, actor, id).await?;
        found.map(BatchJob::from).ok_or_else(|| CoreError::missing("Batch", id))
    }

    /// Batches of the organisation.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_batches(self: &Arc<Self>, actor: &Actor, page: &Page) -> Result<Vec<BatchJob>> {
        let mut conn = self.store.read().await?;
        Ok(batches::list(&mut conn, actor, page).await?.into_iter().map(BatchJob::from).collect())
    }

    /// What the agents of a batch said and what their tools returned, as far as it has come.
    ///
    /// # Errors
    /// 404 for an unknown batch.
    pub async fn batch_messages(
        self: &Arc<Self>,
        actor: &Actor,
        id: &BatchId,
        agent: Option<&AgentId>,
        page: &Page,
    ) -> Result<Vec<Message>> {
        let mut conn = self.store.read().await?;
        batches::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Batch", id))?;
        Ok(messages::by_batch(&mut conn, actor, id, agent, page).await?)
    }

    /// Ends a batch: runs that are not over are cancelled, and providers are asked to stop. What was done stays. A
    /// batch that is over stays as it is.
    ///
    /// # Errors
    /// 404 for an unknown batch.
    pub async fn cancel_batch(self: &Arc<Self>, actor: &Actor, id: &BatchId) -> Result<BatchJob> {
        let found = self.get_batch(actor, id).await?;
        if found.status.is_terminal() {
            return Ok(found);
        }
        let mut tx = self.store.write().await?;
        let uploads = batches::work::uploads(&mut tx, actor, id).await?;
        let open = batches::work::open(&mut tx, actor, id).await?;
        let now = self.env.now();
        if batches::finish(&mut tx, actor, id, RunStatus::Cancelled, now).await? {
            batches::work::cancel_runs(&mut tx, actor, id, now).await?;
            batches::work::drop_uploads(&mut tx, actor, id).await?;
        }
        tx.commit().await?;
        for run in open {
            if let Some(live) = self.live.get(&run.run) {
                live.cancel.cancel();
            }
        }
        let (core, owner) = (self.clone(), actor.clone());
        self.tasks.spawn(async move {
            for upload in uploads {
                core.stop_upload(&owner, &upload).await;
            }
        });
        if let Some(looked) = self.batches.get(id) {
            looked.wake.notify_one();
        }
        self.get_batch(actor, id).await
    }

    /// Forgets a batch, after its end; one that is not over is cancelled. Its runs and their messages stay.
    ///
    /// # Errors
    /// 404 for an unknown batch.
    pub async fn delete_batch(self: &Arc<Self>, actor: &Actor, id: &BatchId) -> Result<BatchJob> {
        let found = self.cancel_batch(actor, id).await?;
        let mut tx = self.store.write().await?;
        batches::delete(&mut tx, actor, id).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Takes over batches that nobody alive looks after.
    pub(crate) async fn sweep_batches(self: &Arc<Self>) -> Result<()> {
        let orphans = {
            let mut conn = self.store.read().await?;
            batches::lease::orphans(&mut conn, &self.replica, 100).await?
        };
        for id in orphans {
            if self.batches.get(&id).is_some() {
                continue;
            }
            let mut tx = self.store.write().await?;
            let claimed = batches::lease::claim(&mut tx, &id, &self.replica).await?;
            tx.commit().await?;
            if let Some(actor) = claimed {
                tracing::info!(batch = %id, "a batch that nobody looked after goes on here");
                self.look_after(actor, &id);
            }
        }
        Ok(())
    }

    /// Tells a batch's address that it is over, and records what came of it.
    async fn call_back_of_batch(&self, actor: &Actor, batch: &Batch, url: &str) -> Result<()> {
        failpoint::hit("batch.untold");
        let body = json!({
            "batch_id": batch.id, "job_id": batch.id, "status": batch.status, "completed_at": batch.completed_at,
            "metadata": {"counts": batch.counts},
        });
        let (secret, now) = (self.config.callback_secret.as_ref(), self.env.now().timestamp());
        let (status, error) = match outbound::post(&self.outbound, url, &body, CALLBACK_TRIES, secret, now).await {
            Ok(status) => (Some(i64::from(status)), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let mut tx = self.store.write().await?;
        batches::set_callback(&mut tx, actor, &batch.id, self.env.now(), status, error.as_deref()).await?;
        Ok(tx.commit().await?)
    }
}

/// Says which entry an error is of.
fn at_entry(index: usize, error: CoreError) -> CoreError {
    match error {
        CoreError::Invalid(text) => CoreError::Invalid(format!("requests.{index}: {text}")),
        CoreError::Unprocessable { mut loc, kind, msg } => {
            let inner = if loc.first().is_some_and(|first| first == "body") { loc.split_off(1) } else { loc };
            let loc = ["body".to_owned(), "requests".into(), index.to_string()].into_iter().chain(inner).collect();
            CoreError::Unprocessable { loc, kind, msg }
        }
        other => other,
    }
}
