//! Answers on their way back: polled, read once each, given to the turns that wait for them.

use std::{collections::HashMap, sync::Arc};

use mneme_domain::RunId;
use mneme_llm::{BatchProgress, Completion, LlmError, Provider};
use mneme_store::batches::work::{self, Place, Upload};
use tokio::time::Instant;

use super::{driver::Driver, uploads::name_of};
use crate::{Result, turn::desk::Desk};

/// Answers that are in memory at the same time.
const PAGE: usize = 64;

/// The calls of an upload that runs wait for, by their names at the provider.
type Waiting = HashMap<String, (RunId, Place)>;

impl Driver {
    /// Looks how far an upload is and takes its answers. Returns whether anything got on.
    pub(super) async fn look_at(&mut self, upload: Upload) -> Result<bool> {
        let first = self.core.config.batch_poll;
        let known = upload.remote.is_some();
        // One that a server left behind without its name is looked for at once.
        let at = self
            .looks
            .entry(upload.id.clone())
            .or_insert_with(|| (if known { Instant::now() + first } else { Instant::now() }, first));
        if at.0 > Instant::now() {
            return Ok(false);
        }
        let core = self.core.clone();
        let Ok(provider) = core.provider_of(&self.actor, &upload.llm_config).await else {
            let gone = LlmError::BadRequest { message: "the model's provider is not configured".into(), status: None };
            return self.refuse(&upload, &gone).await;
        };
        let Some(remote) = upload.remote.clone() else { return self.look_for(&provider, &upload).await };
        let progress = match core.models.client().batch_progress(&provider, &remote).await {
            Ok(progress) => progress,
            Err(error @ LlmError::NotFound { .. }) => {
                return self.refuse(&upload, &error).await;
            }
            Err(error) => {
                tracing::warn!(%error, upload = %upload.id, "a provider does not say how far a batch is");
                self.look_later(&upload.id);
                return Ok(false);
            }
        };
        if let Some(reason) = &progress.refused {
            let refused = LlmError::BadRequest { message: reason.clone(), status: None };
            return self.refuse(&upload, &refused).await;
        }
        if !progress.ended {
            self.look_later(&upload.id);
            return Ok(false);
        }
        self.take(&provider, &upload, &remote, &progress).await
    }

    /// Finds out what became of an upload whose handing over was cut off.
    async fn look_for(&mut self, provider: &Provider, upload: &Upload) -> Result<bool> {
        let core = self.core.clone();
        match core.models.client().find_batch(provider, &upload.id).await {
            Ok(Some(remote)) => self.arrived(upload, &remote).await?,
            Ok(None) => self.forget(upload).await?,
            Err(error) => {
                tracing::warn!(%error, upload = %upload.id, "a provider does not say whether it has a batch");
                self.look_later(&upload.id);
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn waiting(&self, upload: &Upload) -> Result<Waiting> {
        let mut conn = self.core.store.read().await?;
        let calls = work::calls(&mut conn, &self.actor, &upload.id).await?;
        Ok(calls.into_iter().map(|(run, place)| (name_of(&run, place), (run, place))).collect())
    }

    /// Takes the answers of an upload that has ended.
    async fn take(
        &mut self,
        provider: &Provider,
        upload: &Upload,
        remote: &str,
        progress: &BatchProgress,
    ) -> Result<bool> {
        let core = self.core.clone();
        let mut waiting = self.waiting(upload).await?;
        let mut all = true;
        let read: std::result::Result<(), LlmError> = async {
            let mut results = core.models.client().batch_results(provider, remote, progress).await?;
            let mut page = Vec::new();
            loop {
                let result = results.next().await?;
                let last = result.is_none();
                if let Some(result) = result
                    && let Some(call) = waiting.remove(&result.id)
                {
                    page.push((call, result.outcome));
                }
                if (last || page.len() >= PAGE) && !page.is_empty() {
                    all &= self.give(std::mem::take(&mut page)).await.unwrap_or(false);
                }
                if last {
                    return Ok(());
                }
            }
        }
        .await;
        if let Err(error) = read {
            tracing::warn!(%error, upload = %upload.id, "the answers of a batch cannot be read now");
            self.look_later(&upload.id);
            return Ok(false);
        }
        // Each call has an answer by now, or will have none.
        let silent =
            || Err(LlmError::Server { message: "the provider's batch has no answer to the call".into(), status: 502 });
        let missing: Vec<_> = waiting.into_values().map(|call| (call, silent())).collect();
        all &= missing.is_empty() || self.give(missing).await?;
        if !all {
            // What could not be taken is given again.
            self.look_later(&upload.id);
            return Ok(false);
        }
        self.forget(upload).await?;
        Ok(true)
    }

    /// Fails all calls of an upload.
    pub(super) async fn refuse(&mut self, upload: &Upload, error: &LlmError) -> Result<bool> {
        let waiting = self.waiting(upload).await?;
        let answers = waiting.into_values().map(|call| (call, Err(error.clone()))).collect();
        // Boxed: a turn that asks again after a refusal hands over again.
        if Box::pin(self.give(answers)).await? {
            self.forget(upload).await?;
            return Ok(true);
        }
        self.look_later(&upload.id);
        Ok(false)
    }

    /// Gives answers to the turns that wait for them. False when one could not be taken.
    async fn give(
        &mut self,
        answers: Vec<((RunId, Place), std::result::Result<Completion, LlmError>)>,
    ) -> Result<bool> {
        let mut turns = Vec::with_capacity(answers.len());
        for ((run, place), outcome) in answers {
            let outcome = match outcome {
                Ok(mut completion) => {
                    let mut conn = self.core.store.read().await?;
                    let asked = work::body(&mut conn, &self.actor, &run).await?;
                    completion.request_json =
                        asked.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
                    Ok(completion)
                }
                Err(error) => Err(error),
            };
            turns.push((run, Arc::new(Desk::with(place, outcome))));
        }
        self.ask_all(turns).await
    }
}
