//! Reads a tool.

use axum::{Json, extract::State};
use mneme_domain::{ToolId, tool::Tool};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads a tool.
#[utoipa::path(
    get,
    path = "/v1/tools/{tool_id}",
    operation_id = "tools.retrieve",
    tag = "tools",
    params(("tool_id" = String, Path, description = "`tool-<uuid4>`")),
    responses((status = 200, description = "The tool.", body = Tool), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, Id(tool): Id<ToolId>) -> Answer<Tool> {
    Ok(Json(app.core.get_tool(&actor, &tool).await?))
}
