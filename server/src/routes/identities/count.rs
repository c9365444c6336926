//! Counts identities.

use axum::{Json, extract::State};

use crate::{
    app::AppState,
    http::{Answer, Caller},
    routes::refusals::Common,
};

/// Counts the organisation's identities.
#[utoipa::path(
    get,
    path = "/v1/identities/count",
    operation_id = "identities.count",
    tag = "identities",
    responses((status = 200, description = "How many there are.", body = i64, content_type = "application/json"), Common)
)]
pub async fn count(State(app): State<AppState>, Caller(actor): Caller) -> Answer<i64> {
    Ok(Json(app.core.count_identities(&actor).await?))
}
