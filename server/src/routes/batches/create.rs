//! Begins a batch.

use axum::{Json, extract::State};
use mneme_domain::batch::{BatchJob, CreateBatch};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Refusals,
};

/// Sends messages to many agents without waiting for their turns. Model calls go through the provider's batch API where
/// it has one, which takes up to a day and costs less; elsewhere the turns are taken in the background.
#[utoipa::path(
    post,
    path = "/v1/messages/batches",
    operation_id = "batches.create",
    tag = "batches",
    request_body = CreateBatch,
    responses((status = 200, description = "The batch.", body = BatchJob), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<CreateBatch>,
) -> Answer<BatchJob> {
    Ok(Json(app.core.create_batch(&actor, body).await?))
}
