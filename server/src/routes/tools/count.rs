//! Counts tools.

use axum::{Json, extract::State};

use super::filter::Params;
use crate::{
    app::AppState,
    http::{Answer, Caller, Query},
    routes::refusals::Common,
};

/// How many tools there are.
#[utoipa::path(
    get,
    path = "/v1/tools/count",
    operation_id = "tools.count",
    tag = "tools",
    params(Params),
    responses((status = 200, description = "The number.", body = i64, content_type = "application/json"), Common)
)]
pub async fn count(State(app): State<AppState>, Caller(actor): Caller, Query(params): Query<Params>) -> Answer<i64> {
    Ok(Json(app.core.count_tools(&actor, params.filter()?).await?))
}
