//! Lists servers by their names.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use mneme_domain::mcp::{McpServerShape, McpServerView};

use crate::{
    app::AppState,
    http::{Answer, Caller},
    routes::refusals::Common,
};

/// Lists the MCP servers by their names.
#[utoipa::path(
    get,
    path = "/v1/tools/mcp/servers",
    operation_id = "tools.list-mcp-servers",
    tag = "tools",
    responses((status = 200, description = "The servers.", body = BTreeMap<String, McpServerShape>), Common)
)]
pub async fn list(State(app): State<AppState>, Caller(actor): Caller) -> Answer<BTreeMap<String, McpServerView>> {
    let servers = app.core.list_mcp_servers(&actor).await?;
    let named = servers.into_iter().map(|server| (server.name.clone(), app.core.mcp_view(&actor, server, false)));
    Ok(Json(named.collect()))
}
