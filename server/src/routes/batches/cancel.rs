//! Ends a batch.

use axum::{Json, extract::State};
use mneme_domain::batch::BatchJob;

use crate::{
    app::AppState,
    http::{Answer, Caller, path::InBatch},
    routes::refusals::Refusals,
};

/// Ends a batch: turns that are not over are cancelled, what was done stays. One that is over stays as it is.
#[utoipa::path(
    patch,
    path = "/v1/messages/batches/{batch_id}/cancel",
    operation_id = "batches.cancel",
    tag = "batches",
    params(("batch_id" = String, Path, description = "`job-<uuid4>`")),
    responses((status = 200, description = "The batch.", body = BatchJob), Refusals)
)]
pub async fn cancel(State(app): State<AppState>, Caller(actor): Caller, InBatch(batch): InBatch) -> Answer<BatchJob> {
    Ok(Json(app.core.cancel_batch(&actor, &batch).await?))
}
