//! Ends a job.

use axum::{Json, extract::State};
use mneme_domain::job::Job;

use crate::{
    app::AppState,
    http::{Answer, Caller, path::JobId},
    routes::refusals::Refusals,
};

/// Ends a run that goes on without its client. One that is over stays as it is.
#[utoipa::path(
    patch,
    path = "/v1/jobs/{job_id}/cancel",
    operation_id = "jobs.cancel-job",
    tag = "jobs",
    params(("job_id" = String, Path, description = "The run's identifier")),
    responses((status = 200, description = "The job.", body = Job), Refusals)
)]
pub async fn cancel(State(app): State<AppState>, Caller(actor): Caller, JobId(job): JobId) -> Answer<Job> {
    Ok(Json(app.core.cancel_job(&actor, &job).await?.into()))
}
