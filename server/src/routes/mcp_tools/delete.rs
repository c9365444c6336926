//! Removes a server.

use axum::{Json, extract::State};
use mneme_domain::mcp::{McpServerShape, McpServerView};

use crate::{
    app::AppState,
    http::{Answer, Caller, McpServerName},
    routes::refusals::Refusals,
};

/// Removes an MCP server and its tools, from all agents too. The servers that are left come back.
#[utoipa::path(
    delete,
    path = "/v1/tools/mcp/servers/{mcp_server_name}",
    operation_id = "tools.delete-mcp-server",
    tag = "tools",
    params(("mcp_server_name" = String, Path, description = "The server's name.")),
    responses((status = 200, description = "The servers that are left.", body = Vec<McpServerShape>), Refusals)
)]
pub async fn delete(
    State(app): State<AppState>,
    Caller(actor): Caller,
    McpServerName(name): McpServerName,
) -> Answer<Vec<McpServerView>> {
    let server = app.core.mcp_server_named(&actor, &name).await?;
    app.core.delete_mcp_server(&actor, &server).await?;
    let servers = app.core.list_mcp_servers(&actor).await?;
    Ok(Json(servers.into_iter().map(|server| app.core.mcp_view(&actor, server, false)).collect()))
}
