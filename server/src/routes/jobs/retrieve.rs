//! Reads and deletes a job.

use axum::{Json, extract::State};

use super::AnyJob;
use crate::{
    app::AppState,
    http::{
        Answer, Caller,
        path::{JobId, WatchedJob},
    },
    routes::refusals::Refusals,
};

/// Reads a run that goes on without its client, a batch, or how far the reading of a file is.
#[utoipa::path(
    get,
    path = "/v1/jobs/{job_id}",
    operation_id = "jobs.retrieve",
    tag = "jobs",
    params(("job_id" = String, Path, description = "The identifier of the run, the batch or the file")),
    responses((status = 200, description = "The job.", body = AnyJob), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, job: WatchedJob) -> Answer<AnyJob> {
    Ok(Json(match job {
        WatchedJob::File(file) => app.core.find_file(&actor, &file).await?.into(),
        WatchedJob::Job(JobId::Run(run)) => app.core.get_job(&actor, &run).await?.into(),
        WatchedJob::Job(JobId::Batch(batch)) => app.core.get_batch(&actor, &batch).await?.into(),
    }))
}

/// Deletes the record of a run that is over, or of a batch, which ends it. Messages stay.
#[utoipa::path(
    delete,
    path = "/v1/jobs/{job_id}",
    operation_id = "jobs.delete",
    tag = "jobs",
    params(("job_id" = String, Path, description = "The identifier of the run or the batch")),
    responses((status = 200, description = "The job as it was.", body = AnyJob), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, job: JobId) -> Answer<AnyJob> {
    Ok(Json(match job {
        JobId::Run(run) => app.core.delete_job(&actor, &run).await?.into(),
        JobId::Batch(batch) => app.core.delete_batch(&actor, &batch).await?.into(),
    }))
}
