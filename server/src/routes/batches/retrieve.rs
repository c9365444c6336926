//! Shows a batch.

use axum::{Json, extract::State};
use mneme_domain::batch::BatchJob;

use crate::{
    app::AppState,
    http::{Answer, Caller, path::InBatch},
    routes::refusals::Refusals,
};

/// Shows where a batch stands; `metadata.counts` says how many of its turns are where.
#[utoipa::path(
    get,
    path = "/v1/messages/batches/{batch_id}",
    operation_id = "batches.retrieve",
    tag = "batches",
    params(("batch_id" = String, Path, description = "`job-<uuid4>`")),
    responses((status = 200, description = "The batch.", body = BatchJob), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, InBatch(batch): InBatch) -> Answer<BatchJob> {
    Ok(Json(app.core.get_batch(&actor, &batch).await?))
}
