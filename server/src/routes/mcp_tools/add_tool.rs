//! Takes a tool of a server.

use axum::{Json, extract::State};
use mneme_domain::tool::Tool;

use crate::{
    app::AppState,
    http::{Answer, Caller, McpServerName, McpToolName},
    routes::refusals::Refusals,
};

/// Adds a tool of an MCP server, so that agents can have it. One that was added before is brought up to date.
#[utoipa::path(
    post,
    path = "/v1/tools/mcp/servers/{mcp_server_name}/{mcp_tool_name}",
    operation_id = "tools.add-mcp-tool",
    tag = "tools",
    params(
        ("mcp_server_name" = String, Path, description = "The server's name."),
        ("mcp_tool_name" = String, Path, description = "The tool's name on the server."),
    ),
    responses((status = 200, description = "The tool.", body = Tool), Refusals)
)]
pub async fn add_tool(
    State(app): State<AppState>,
    Caller(actor): Caller,
    McpServerName(name): McpServerName,
    McpToolName(tool): McpToolName,
) -> Answer<Tool> {
    let server = app.core.mcp_server_named(&actor, &name).await?;
    Ok(Json(app.core.add_mcp_tool(&actor, &server, &tool).await?))
}
