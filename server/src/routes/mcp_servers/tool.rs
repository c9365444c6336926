//! Reads a tool of a server.

use axum::{Json, extract::State};
use mneme_domain::{McpServerId, ToolId, tool::Tool};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads a tool of an MCP server.
#[utoipa::path(
    get,
    path = "/v1/mcp-servers/{mcp_server_id}/tools/{tool_id}",
    operation_id = "mcpServers.mcp-get-mcp-tool",
    tag = "mcp-servers",
    params(
        ("mcp_server_id" = String, Path, description = "`mcp_server-<uuid4>`"),
        ("tool_id" = String, Path, description = "`tool-<uuid4>`"),
    ),
    responses((status = 200, description = "The tool.", body = Tool), Refusals)
)]
pub async fn tool(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(server): Id<McpServerId>,
    Id(tool): Id<ToolId>,
) -> Answer<Tool> {
    Ok(Json(app.core.registered_mcp_tool(&actor, &server, &tool).await?))
}
