//! Lists batches.

use axum::{Json, extract::State};
use mneme_domain::{Order, batch::BatchJob};

use crate::{
    app::AppState,
    http::{Answer, Caller, Paging, page::PageParams},
    routes::refusals::Common,
};

/// Batches of a page unless the client says otherwise.
const DEFAULT_LIMIT: u32 = 100;

/// Lists batches, newest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/v1/messages/batches",
    operation_id = "batches.list",
    tag = "batches",
    params(PageParams),
    responses((status = 200, description = "The batches.", body = Vec<BatchJob>), Common)
)]
pub async fn list(State(app): State<AppState>, Caller(actor): Caller, paging: Paging) -> Answer<Vec<BatchJob>> {
    Ok(Json(app.core.list_batches(&actor, &paging.page(Order::Desc, DEFAULT_LIMIT)).await?))
}
