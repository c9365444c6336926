//! Ends a job.

use axum::{Json, extract::State};

use super::AnyJob;
use crate::{
    app::AppState,
    http::{Answer, Caller, path::JobId},
    routes::refusals::Refusals,
};

/// Ends a run that goes on without its client, or a batch. One that is over stays as it is.
#[utoipa::path(
    patch,
    path = "/v1/jobs/{job_id}/cancel",
    operation_id = "jobs.cancel-job",
    tag = "jobs",
    params(("job_id" = String, Path, description = "The identifier of the run or the batch")),
    responses((status = 200, description = "The job.", body = AnyJob), Refusals)
)]
pub async fn cancel(State(app): State<AppState>, Caller(actor): Caller, job: JobId) -> Answer<AnyJob> {
    Ok(Json(match job {
        JobId::Run(run) => app.core.cancel_job(&actor, &run).await?.into(),
        JobId::Batch(batch) => app.core.cancel_batch(&actor, &batch).await?.into(),
    }))
}
