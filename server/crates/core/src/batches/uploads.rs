//! Questions on their way to providers: gathered, recorded, handed over once.

use std::{collections::HashMap, time::Duration};

use mneme_domain::{RunId, actor::Actor, llm_config::LlmConfig};
use mneme_llm::{BatchCall, BatchPlace, LlmError};
use mneme_macros::boxed;
use mneme_store::batches::work::{self, Handed, Place, Upload};
use tokio::time::Instant;

use super::driver::Driver;
use crate::{Core, Result, failpoint, turn::desk::Left};

/// Questions of one upload.
const MOST_CALLS: usize = 5_000;
/// Bytes of their texts.
const MOST_BYTES: usize = 32 << 20;

/// The longest time between two looks at an upload.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest time that a provider may ask to be left alone.
const LONGEST_ASKED: Duration = Duration::from_secs(900);

/// Questions for one place.
pub(super) struct Parcel {
    place: BatchPlace,
    llm_config: LlmConfig,
    bytes: usize,
    calls: Vec<Handed>,
}

/// Questions by the place they go to.
#[derive(Default)]
pub(super) struct Gathered(HashMap<(String, BatchPlace), Parcel>);

#[boxed]
impl Gathered {
    /// Adds a question; gives a parcel back when that makes it full.
    pub async fn add(&mut self, core: &Core, actor: &Actor, run: RunId, left: Left) -> Result<Option<Parcel>> {
        let provider = core.provider_of(actor, &left.llm_config).await?;
        let place = core.models.client().batch_place(&provider, &left.llm_config.model);
        // It left its question because there was one.
        let Some(place) = place else { return Ok(None) };
        let key = (provider.name().to_owned(), place.clone());
        let parcel = self.0.entry(key.clone()).or_insert_with(|| Parcel {
            place,
            llm_config: left.llm_config,
            bytes: 0,
            calls: Vec::new(),
        });
        let body = left.body.to_string();
        parcel.bytes += body.len();
        parcel.calls.push(Handed { run, place: left.place, body });
        let full = parcel.bytes >= MOST_BYTES || parcel.calls.len() >= MOST_CALLS;
        Ok(if full { self.0.remove(&key) } else { None })
    }

    /// What is left.
    pub fn rest(self) -> Vec<Parcel> {
        self.0.into_values().collect()
    }
}

/// The name of a call at its provider: of which run, step and attempt.
pub(super) fn name_of(run: &RunId, place: Place) -> String {
    format!("{run}_{}_{}", place.step, place.attempt)
}

impl Driver {
    /// Hands a parcel over. What happens is recorded before and after, so that it is known of each call whether it may
    /// have arrived.
    pub(super) async fn submit(&mut self, parcel: Parcel) -> Result<()> {
        let core = self.core.clone();
        let upload =
            Upload { id: format!("batch_upload-{}", core.env.uuid()), llm_config: parcel.llm_config, remote: None };
        let mut tx = core.store.write().await?;
        let now = core.env.now();
        work::hand_over(&mut tx, &self.actor, &self.batch, &core.replica, &upload, &parcel.calls, now).await?;
        tx.commit().await?;
        failpoint::hit("batch.unsent");
        let named = |call: &Handed| BatchCall {
            id: name_of(&call.run, call.place),
            body: serde_json::from_str(&call.body).unwrap_or_default(),
        };
        let calls: Vec<BatchCall> = parcel.calls.iter().map(named).collect();
        let provider = core.provider_of(&self.actor, &upload.llm_config).await?;
        let sent = core.models.client().submit_batch(&provider, &parcel.place, &upload.id, &calls).await;
        failpoint::hit("batch.sent");
        match sent {
            Ok(remote) => {
                tracing::info!(upload = %upload.id, remote, calls = calls.len(), "calls were handed over");
                self.refusals = 0;
                self.arrived(&upload, &remote).await
            }
            Err(error) if takes_none(&error) => {
                tracing::info!(provider = provider.name(), "the provider takes no batches; its models are called");
                self.without.insert(provider.name().to_owned());
                self.forget(&upload).await
            }
            Err(error) if may_have_arrived(&error) => {
                tracing::warn!(%error, "calls could not be handed over; they are again in a while");
                let pause = self.core.config.batch_poll.saturating_mul(1 << self.refusals.min(10)).min(LONGEST);
                let pause = error.retry_after().map_or(pause, |asked| asked.clamp(pause, LONGEST_ASKED));
                self.refusals += 1;
                self.looks.insert(upload.id.clone(), (Instant::now() + pause, pause));
                Ok(())
            }
            Err(error) => self.refuse(&upload, &error).await.map(drop),
        }
    }

    /// Records the provider's name of an upload, or takes it back when nobody wants it any more.
    pub(super) async fn arrived(&mut self, upload: &Upload, remote: &str) -> Result<()> {
        let mut tx = self.core.store.write().await?;
        let wanted = work::arrived(&mut tx, &self.actor, &upload.id, remote).await?;
        tx.commit().await?;
        failpoint::hit("batch.arrived");
        if !wanted {
            self.core.stop_upload(&self.actor, &Upload { remote: Some(remote.to_owned()), ..upload.clone() }).await;
            return Ok(());
        }
        let first = self.core.config.batch_poll;
        self.looks.insert(upload.id.clone(), (Instant::now() + first, first));
        Ok(())
    }

    /// Forgets an upload: the runs that wait for it wait for nothing then.
    pub(super) async fn forget(&mut self, upload: &Upload) -> Result<()> {
        self.looks.remove(&upload.id);
        let mut tx = self.core.store.write().await?;
        work::drop_upload(&mut tx, &self.actor, &upload.id).await?;
        Ok(tx.commit().await?)
    }

    /// Looks at an upload again after a while, each time later.
    pub(super) fn look_later(&mut self, upload: &str) {
        let pause = self.looks.get(upload).map_or(self.core.config.batch_poll, |(_, pause)| *pause);
        let longer = (pause * 3 / 2).min(LONGEST);
        self.looks.insert(upload.to_owned(), (Instant::now() + pause, longer));
    }
}

impl Core {
    /// Asks a provider to stop an upload. It need not: nobody waits for its answers.
    pub(super) async fn stop_upload(&self, actor: &Actor, upload: &Upload) {
        let (Some(remote), Ok(provider)) = (&upload.remote, self.provider_of(actor, &upload.llm_config).await) else {
            return;
        };
        if let Err(error) = self.models.client().cancel_batch(&provider, remote).await {
            tracing::warn!(upload = %upload.id, %error, "a provider could not be asked to stop a batch");
        }
    }
}

/// Whether a refusal says that there is no batch API.
fn takes_none(error: &LlmError) -> bool {
    matches!(error.status(), Some(404 | 405 | 501))
}

/// Whether it is not known that the calls did not arrive, or they may be taken later.
fn may_have_arrived(error: &LlmError) -> bool {
    matches!(
        error,
        LlmError::RateLimit { .. }
            | LlmError::Overloaded { .. }
            | LlmError::Timeout { .. }
            | LlmError::Connection { .. }
            | LlmError::Malformed { .. }
            | LlmError::Server { .. }
    )
}
