//! Changes a server.

use axum::{Json, extract::State};
use mneme_core::mcp::McpServerChanges;
use mneme_domain::{
    McpServerId,
    mcp::{McpServerShape, McpServerView},
};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Changes an MCP server. What the body does not name stays; its connections are made anew.
#[utoipa::path(
    patch,
    path = "/v1/mcp-servers/{mcp_server_id}",
    operation_id = "mcpServers.mcp-update-mcp-server",
    tag = "mcp-servers",
    params(("mcp_server_id" = String, Path, description = "`mcp_server-<uuid4>`")),
    request_body = McpServerShape,
    responses((status = 200, description = "The server.", body = McpServerShape), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(id): Id<McpServerId>,
    Body(changes): Body<McpServerChanges>,
) -> Answer<McpServerView> {
    let server = app.core.get_mcp_server(&actor, &id).await?;
    let server = app.core.update_mcp_server(&actor, server, changes).await?;
    Ok(Json(app.core.mcp_view(&actor, server, true)))
}
