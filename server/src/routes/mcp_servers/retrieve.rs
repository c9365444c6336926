//! Reads a server.

use axum::{Json, extract::State};
use mneme_domain::{
    McpServerId,
    mcp::{McpServerShape, McpServerView},
};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads an MCP server.
#[utoipa::path(
    get,
    path = "/v1/mcp-servers/{mcp_server_id}",
    operation_id = "mcpServers.mcp-get-mcp-server",
    tag = "mcp-servers",
    params(("mcp_server_id" = String, Path, description = "`mcp_server-<uuid4>`")),
    responses((status = 200, description = "The server.", body = McpServerShape), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(id): Id<McpServerId>,
) -> Answer<McpServerView> {
    let server = app.core.get_mcp_server(&actor, &id).await?;
    Ok(Json(app.core.mcp_view(&actor, server, true)))
}
