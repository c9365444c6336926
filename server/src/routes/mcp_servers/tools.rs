//! Lists the tools that were taken from a server.

use axum::{Json, extract::State};
use mneme_domain::{McpServerId, tool::Tool};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Lists the tools of an MCP server by their names, as they were when it was last asked.
#[utoipa::path(
    get,
    path = "/v1/mcp-servers/{mcp_server_id}/tools",
    operation_id = "mcpServers.mcp-list-mcp-tools-by-server",
    tag = "mcp-servers",
    params(("mcp_server_id" = String, Path, description = "`mcp_server-<uuid4>`")),
    responses((status = 200, description = "The tools.", body = Vec<Tool>), Refusals)
)]
pub async fn tools(State(app): State<AppState>, Caller(actor): Caller, Id(id): Id<McpServerId>) -> Answer<Vec<Tool>> {
    Ok(Json(app.core.registered_mcp_tools(&actor, &id).await?))
}
