//! Changes a server.

use axum::{Json, extract::State};
use mneme_core::mcp::McpServerChanges;
use mneme_domain::mcp::{McpServerShape, McpServerView};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, McpServerName},
    routes::refusals::Refusals,
};

/// Changes an MCP server. What the body does not name stays.
#[utoipa::path(
    patch,
    path = "/v1/tools/mcp/servers/{mcp_server_name}",
    operation_id = "tools.update-mcp-server",
    tag = "tools",
    params(("mcp_server_name" = String, Path, description = "The server's name.")),
    request_body = McpServerShape,
    responses((status = 200, description = "The server.", body = McpServerShape), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    McpServerName(name): McpServerName,
    Body(changes): Body<McpServerChanges>,
) -> Answer<McpServerView> {
    let server = app.core.mcp_server_named(&actor, &name).await?;
    let server = app.core.update_mcp_server(&actor, server, changes).await?;
    Ok(Json(app.core.mcp_view(&actor, server, false)))
}
