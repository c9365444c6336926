//! Counts blocks.

use axum::{Json, extract::State};

use crate::{
    app::AppState,
    http::{Answer, Caller},
    routes::refusals::Common,
};

/// How many blocks there are.
#[utoipa::path(
    get,
    path = "/v1/blocks/count",
    operation_id = "blocks.count",
    tag = "blocks",
    responses((status = 200, description = "The number.", body = i64, content_type = "application/json"), Common)
)]
pub async fn count(State(app): State<AppState>, Caller(actor): Caller) -> Answer<i64> {
    Ok(Json(app.core.count_blocks(&actor).await?))
}
