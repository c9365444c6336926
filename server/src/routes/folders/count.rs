//! Counts folders.

use axum::{Json, extract::State};

use crate::{
    app::AppState,
    http::{Answer, Caller},
    routes::refusals::Common,
};

/// How many folders there are.
#[utoipa::path(
    get,
    path = "/v1/folders/count",
    operation_id = "folders.count",
    tag = "folders",
    responses((status = 200, description = "Their number.", body = i64, content_type = "application/json"), Common)
)]
pub async fn count(State(app): State<AppState>, Caller(actor): Caller) -> Answer<i64> {
    Ok(Json(app.core.count_folders(&actor).await?))
}

/// How many folders there are.
#[utoipa::path(
    get,
    path = "/v1/sources/count",
    operation_id = "sources.count",
    tag = "sources",
    responses((status = 200, description = "Their number.", body = i64, content_type = "application/json"), Common)
)]
pub async fn count_sources(app: State<AppState>, caller: Caller) -> Answer<i64> {
    count(app, caller).await
}
