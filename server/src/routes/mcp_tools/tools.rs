//! Lists a server's tools.

use axum::{Json, extract::State};
use mneme_domain::mcp::McpTool;

use crate::{
    app::AppState,
    http::{Answer, Caller, McpServerName},
    routes::refusals::Refusals,
};

/// Lists the tools of an MCP server, as it lists them, with the health of each schema.
#[utoipa::path(
    get,
    path = "/v1/tools/mcp/servers/{mcp_server_name}/tools",
    operation_id = "tools.list-mcp-tools-by-server",
    tag = "tools",
    params(("mcp_server_name" = String, Path, description = "The server's name.")),
    responses((status = 200, description = "The tools.", body = Vec<McpTool>), Refusals)
)]
pub async fn tools(
    State(app): State<AppState>,
    Caller(actor): Caller,
    McpServerName(name): McpServerName,
) -> Answer<Vec<McpTool>> {
    let server = app.core.mcp_server_named(&actor, &name).await?;
    Ok(Json(app.core.mcp_tools(&actor, &server).await?))
}
