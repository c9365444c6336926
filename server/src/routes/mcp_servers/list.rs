//! Lists servers.

use axum::{Json, extract::State};
use mneme_domain::mcp::{McpServerShape, McpServerView};

use crate::{
    app::AppState,
    http::{Answer, Caller},
    routes::refusals::Common,
};

/// Lists the MCP servers, the oldest first.
#[utoipa::path(
    get,
    path = "/v1/mcp-servers",
    operation_id = "mcpServers.mcp-list-mcp-servers",
    tag = "mcp-servers",
    responses((status = 200, description = "The servers.", body = Vec<McpServerShape>), Common)
)]
pub async fn list(State(app): State<AppState>, Caller(actor): Caller) -> Answer<Vec<McpServerView>> {
    let servers = app.core.list_mcp_servers(&actor).await?;
    Ok(Json(servers.into_iter().map(|server| app.core.mcp_view(&actor, server, true)).collect()))
}
