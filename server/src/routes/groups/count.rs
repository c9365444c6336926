//! Counts groups.

use axum::{Json, extract::State};

use crate::{
    app::AppState,
    http::{Answer, Caller},
    routes::refusals::Common,
};

/// Counts the organisation's groups.
#[utoipa::path(
    get,
    path = "/v1/groups/count",
    operation_id = "groups.count",
    tag = "groups",
    responses((status = 200, description = "How many there are.", body = i64, content_type = "application/json"), Common)
)]
pub async fn count(State(app): State<AppState>, Caller(actor): Caller) -> Answer<i64> {
    Ok(Json(app.core.count_groups(&actor).await?))
}
