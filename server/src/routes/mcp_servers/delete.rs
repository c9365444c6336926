//! Removes a server.

use axum::{extract::State, http::StatusCode};
use mneme_domain::McpServerId;

use crate::{
    app::AppState,
    http::{ApiError, Caller, Id},
    routes::refusals::Refusals,
};

/// Removes an MCP server and its tools, from all agents too.
#[utoipa::path(
    delete,
    path = "/v1/mcp-servers/{mcp_server_id}",
    operation_id = "mcpServers.mcp-delete-mcp-server",
    tag = "mcp-servers",
    params(("mcp_server_id" = String, Path, description = "`mcp_server-<uuid4>`")),
    responses((status = 204, description = "It is gone."), Refusals)
)]
pub async fn delete(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(id): Id<McpServerId>,
) -> Result<StatusCode, ApiError> {
    let server = app.core.get_mcp_server(&actor, &id).await?;
    app.core.delete_mcp_server(&actor, &server).await?;
    Ok(StatusCode::NO_CONTENT)
}
