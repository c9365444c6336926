//! Deletes a tool.

use axum::{Json, extract::State};
use mneme_domain::ToolId;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Deletes a tool and takes it from its agents.
#[utoipa::path(
    delete,
    path = "/v1/tools/{tool_id}",
    operation_id = "tools.delete",
    tag = "tools",
    params(("tool_id" = String, Path, description = "`tool-<uuid4>`")),
    responses((status = 200, description = "It is gone; the body is null."), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, Id(tool): Id<ToolId>) -> Answer<()> {
    app.core.delete_tool(&actor, &tool).await?;
    Ok(Json(()))
}
