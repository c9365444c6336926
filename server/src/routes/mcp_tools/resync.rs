//! Makes the registry agree with a server. An addition to the API's description, known to older clients.

use axum::{Json, extract::State};
use mneme_domain::mcp::McpRefresh;

use crate::{
    app::AppState,
    http::{Answer, Caller, McpServerName},
    routes::refusals::Refusals,
};

/// Asks an MCP server for its tools again: new ones come, those that are gone go, also from agents.
#[utoipa::path(
    post,
    path = "/v1/tools/mcp/servers/{mcp_server_name}/resync",
    operation_id = "tools.resync-mcp-server",
    tag = "tools",
    params(("mcp_server_name" = String, Path, description = "The server's name.")),
    responses((status = 200, description = "What changed.", body = McpRefresh), Refusals)
)]
pub async fn resync(
    State(app): State<AppState>,
    Caller(actor): Caller,
    McpServerName(name): McpServerName,
) -> Answer<McpRefresh> {
    let server = app.core.mcp_server_named(&actor, &name).await?;
    Ok(Json(app.core.refresh_mcp_server(&actor, &server, None).await?))
}
