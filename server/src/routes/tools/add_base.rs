//! Brings the built-in tools back.

use axum::{Json, extract::State};
use mneme_domain::tool::Tool;

use crate::{
    app::AppState,
    http::{Answer, Caller},
    routes::refusals::Common,
};

/// Makes sure that every built-in tool is there, and lists them.
#[utoipa::path(
    post,
    path = "/v1/tools/add-base-tools",
    operation_id = "tools.upsert-base-tools",
    tag = "tools",
    responses((status = 200, description = "The built-in tools.", body = Vec<Tool>), Common)
)]
pub async fn add_base(State(app): State<AppState>, Caller(actor): Caller) -> Answer<Vec<Tool>> {
    Ok(Json(app.core.add_base_tools(&actor).await?))
}
