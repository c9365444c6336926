//! Runs as clients read them.

use std::sync::Arc;

use mneme_domain::{
    Actor, Page, RunId,
    envelope::Envelope,
    job::Job,
    run::{Run, RunMetrics},
    step::{Step, TurnUsage},
};
use mneme_macros::boxed;
use mneme_store::{
    messages, runs,
    steps::{self, StepFilter},
};

use crate::{Core, CoreError, Result, RunFilter, envelope};

#[boxed]
impl Core {
    /// Runs of the organisation.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_runs(self: &Arc<Self>, actor: &Actor, filter: RunFilter, page: &Page) -> Result<Vec<Run>> {
        let mut conn = self.store.read().await?;
        Ok(runs::list(&mut conn, actor, &filter, page).await?)
    }

    /// One run.
    ///
    /// # Errors
    /// 404 for an unknown run.
    pub async fn get_run(self: &Arc<Self>, actor: &Actor, id: &RunId) -> Result<Run> {
        let mut conn = self.store.read().await?;
        runs::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Run", id))
    }

    /// Deletes a finished run's record; its messages stay in the agent's history.
    ///
    /// # Errors
    /// 404 for an unknown run, 409 while it is under way.
    pub async fn delete_run(self: &Arc<Self>, actor: &Actor, id: &RunId) -> Result<Run> {
        let mut tx = self.store.write().await?;
        let run = runs::get(&mut tx, actor, id).await?.ok_or_else(|| CoreError::missing("Run", id))?;
        if !run.status.is_terminal() {
            return Err(CoreError::Conflict("The run is still under way; cancel it first".into()));
        }
        runs::delete(&mut tx, actor, id).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Ends a run that goes on without its client, and shows it as it is then.
    ///
    /// # Errors
    /// 404 for an unknown run, and for one that has a client.
    pub async fn cancel_job(self: &Arc<Self>, actor: &Actor, id: &RunId) -> Result<Job> {
        if !self.get_job(actor, id).await?.status.is_terminal() {
            self.cancel_run(actor, id).await?;
        }
        self.get_job(actor, id).await
    }

    /// One run that goes on without its client.
    ///
    /// # Errors
    /// As [`Core::cancel_job`].
    pub async fn get_job(self: &Arc<Self>, actor: &Actor, id: &RunId) -> Result<Job> {
        let mut conn = self.store.read().await?;
        let run = runs::get(&mut conn, actor, id).await?.filter(|run| run.background == Some(true));
        let run = run.ok_or_else(|| CoreError::missing("Job", id))?;
        let user = runs::users(&mut conn, actor, std::slice::from_ref(id)).await?.remove(id);
        Ok(Job::of(run, user))
    }

    /// Runs that go on without their clients.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_jobs(self: &Arc<Self>, actor: &Actor, active: bool, page: &Page) -> Result<Vec<Job>> {
        let filter = RunFilter { background: Some(true), active, ..RunFilter::default() };
        let mut conn = self.store.read().await?;
        let found = runs::list(&mut conn, actor, &filter, page).await?;
        let ids: Vec<RunId> = found.iter().map(|run| run.id.clone()).collect();
        let mut users = runs::users(&mut conn, actor, &ids).await?;
        let job = |run: Run| {
            let user = users.remove(&run.id);
            Job::of(run, user)
        };
        Ok(found.into_iter().map(job).collect())
    }

    /// Deletes the record of a run that goes on without its client, and shows it as it was; its messages stay.
    ///
    /// # Errors
    /// As [`Core::cancel_job`], and 409 while it is under way.
    pub async fn delete_job(self: &Arc<Self>, actor: &Actor, id: &RunId) -> Result<Job> {
        let job = self.get_job(actor, id).await?;
        self.delete_run(actor, id).await?;
        Ok(job)
    }

    /// A run's messages, the client's own included.
    ///
    /// # Errors
    /// 404 for an unknown run.
    pub async fn run_messages(self: &Arc<Self>, actor: &Actor, id: &RunId, page: &Page) -> Result<Vec<Envelope>> {
        let run = self.get_run(actor, id).await?;
        let mut conn = self.store.read().await?;
        let found = messages::by_run(&mut conn, actor, id, page).await?;
        Ok(envelope::envelopes_of(&found, &run.request_config.unwrap_or_default()))
    }

    /// What a run cost.
    ///
    /// # Errors
    /// 404 for an unknown run.
    pub async fn run_usage(self: &Arc<Self>, actor: &Actor, id: &RunId) -> Result<TurnUsage> {
        let mut conn = self.store.read().await?;
        runs::usage(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Run", id))
    }

    /// A run's measures.
    ///
    /// # Errors
    /// 404 for an unknown run.
    pub async fn run_metrics(self: &Arc<Self>, actor: &Actor, id: &RunId) -> Result<RunMetrics> {
        let mut conn = self.store.read().await?;
        runs::metrics(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Run", id))
    }

    /// A run's steps.
    ///
    /// # Errors
    /// 404 for an unknown run.
    pub async fn run_steps(self: &Arc<Self>, actor: &Actor, id: &RunId, page: &Page) -> Result<Vec<Step>> {
        self.get_run(actor, id).await?;
        let filter = StepFilter { run_id: Some(id.clone()), ..StepFilter::default() };
        let mut conn = self.store.read().await?;
        Ok(steps::list(&mut conn, actor, &filter, page).await?)
    }
}
