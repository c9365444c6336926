//! Changes a tool.

use axum::{Json, extract::State};
use mneme_domain::{
    ToolId,
    tool::{Tool, ToolUpdate},
};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Changes what the body names and keeps the rest.
#[utoipa::path(
    patch,
    path = "/v1/tools/{tool_id}",
    operation_id = "tools.modify",
    tag = "tools",
    params(("tool_id" = String, Path, description = "`tool-<uuid4>`")),
    request_body = ToolUpdate,
    responses((status = 200, description = "The tool after the change.", body = Tool), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(tool): Id<ToolId>,
    Body(body): Body<ToolUpdate>,
) -> Answer<Tool> {
    Ok(Json(app.core.update_tool(&actor, &tool, body).await?))
}
