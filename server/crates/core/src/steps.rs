//! Steps as clients read and rate them.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use mneme_domain::{
    Actor, Page, StepId,
    envelope::Envelope,
    run::RequestConfig,
    step::{Feedback, ProviderTrace, Step, StepMetrics},
};
use mneme_macros::boxed;
use mneme_store::{messages, steps};

use crate::{Core, CoreError, Result, StepFilter, envelope, supervise::kept_going};

/// How often old traces are looked for.
const LOOK: Duration = Duration::from_secs(600);
/// Traces deleted in one transaction, so that nobody waits for long.
const AT_A_TIME: i64 = 500;

#[boxed]
impl Core {
    /// Deletes traces that are older than they are kept, now and again and again.
    pub(crate) fn begin_forgetting(self: &Arc<Self>) {
        let core = Arc::downgrade(self);
        tokio::spawn(kept_going("the look for old traces", move || Self::keep_forgetting(core.clone())));
    }

    async fn keep_forgetting(core: Weak<Self>) {
        loop {
            let Some(core) = core.upgrade() else { return };
            if core.gone.is_cancelled() {
                return;
            }
            if let Err(error) = core.forget_traces().await {
                tracing::warn!(%error, "old traces could not be deleted");
            }
            drop(core);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Deletes traces that are older than they are kept. Returns how many.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn forget_traces(&self) -> Result<u64> {
        let age = chrono::Duration::from_std(self.config.trace_age).unwrap_or(chrono::Duration::MAX);
        let Some(before) = self.env.now().checked_sub_signed(age) else { return Ok(0) };
        let mut deleted = 0;
        loop {
            let mut tx = self.store.write().await?;
            let some = steps::forget_traces(&mut tx, before, AT_A_TIME).await?;
            tx.commit().await?;
            deleted += some;
            if some < AT_A_TIME as u64 {
                return Ok(deleted);
            }
        }
    }

    /// Steps of the organisation.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_steps(self: &Arc<Self>, actor: &Actor, filter: StepFilter, page: &Page) -> Result<Vec<Step>> {
        let mut conn = self.store.read().await?;
        Ok(steps::list(&mut conn, actor, &filter, page).await?)
    }

    /// One step.
    ///
    /// # Errors
    /// 404 for an unknown step.
    pub async fn get_step(self: &Arc<Self>, actor: &Actor, id: &StepId) -> Result<Step> {
        let mut conn = self.store.read().await?;
        steps::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Step", id))
    }

    /// A step's measures.
    ///
    /// # Errors
    /// 404 for an unknown step.
    pub async fn step_metrics(self: &Arc<Self>, actor: &Actor, id: &StepId) -> Result<StepMetrics> {
        let mut conn = self.store.read().await?;
        steps::metrics(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Step", id))
    }

    /// What a step sent to the provider and got back; none for a step that failed before it got anything.
    ///
    /// # Errors
    /// 404 for an unknown step.
    pub async fn step_trace(self: &Arc<Self>, actor: &Actor, id: &StepId) -> Result<Option<ProviderTrace>> {
        self.get_step(actor, id).await?;
        let mut conn = self.store.read().await?;
        Ok(steps::trace(&mut conn, actor, id).await?)
    }

    /// The messages that a step made.
    ///
    /// # Errors
    /// 404 for an unknown step.
    pub async fn step_messages(self: &Arc<Self>, actor: &Actor, id: &StepId, page: &Page) -> Result<Vec<Envelope>> {
        self.get_step(actor, id).await?;
        let mut conn = self.store.read().await?;
        let found = messages::by_step(&mut conn, actor, id, page).await?;
        Ok(envelope::envelopes_of(&found, &RequestConfig::default()))
    }

    /// Records a developer's judgement of a step; `None` as feedback clears it, `None` as tags keeps them.
    ///
    /// # Errors
    /// 404 for an unknown step.
    pub async fn step_feedback(
        self: &Arc<Self>,
        actor: &Actor,
        id: &StepId,
        feedback: Option<Feedback>,
        tags: Option<Vec<String>>,
    ) -> Result<Step> {
        let mut tx = self.store.write().await?;
        let step = steps::set_feedback(&mut tx, actor, id, feedback, tags).await?;
        let step = step.ok_or_else(|| CoreError::missing("Step", id))?;
        tx.commit().await?;
        Ok(step)
    }
}
