//! Reads and deletes a job.

use axum::{Json, extract::State};
use mneme_domain::job::Job;

use crate::{
    app::AppState,
    http::{Answer, Caller, path::JobId},
    routes::refusals::Refusals,
};

/// Reads a run that goes on without its client.
#[utoipa::path(
    get,
    path = "/v1/jobs/{job_id}",
    operation_id = "jobs.retrieve",
    tag = "jobs",
    params(("job_id" = String, Path, description = "The run's identifier")),
    responses((status = 200, description = "The job.", body = Job), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, JobId(job): JobId) -> Answer<Job> {
    Ok(Json(app.core.get_job(&actor, &job).await?.into()))
}

/// Deletes the record of a run that is over. Its messages stay.
#[utoipa::path(
    delete,
    path = "/v1/jobs/{job_id}",
    operation_id = "jobs.delete",
    tag = "jobs",
    params(("job_id" = String, Path, description = "The run's identifier")),
    responses((status = 200, description = "The job as it was.", body = Job), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, JobId(job): JobId) -> Answer<Job> {
    app.core.get_job(&actor, &job).await?;
    Ok(Json(app.core.delete_run(&actor, &job).await?.into()))
}
