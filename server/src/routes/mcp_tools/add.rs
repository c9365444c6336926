//! Sets a server up.

use axum::{Json, extract::State};
use mneme_core::mcp::McpServerBody;
use mneme_domain::mcp::{McpServerShape, McpServerView};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::{Common, Detail},
};

/// Sets an MCP server up. Its tools are added one by one; all servers come back.
#[utoipa::path(
    put,
    path = "/v1/tools/mcp/servers",
    operation_id = "tools.add-mcp-server",
    tag = "tools",
    request_body = McpServerShape,
    responses(
        (status = 200, description = "All servers.", body = Vec<McpServerShape>),
        (status = 403, description = "Such a server may not be set up.", body = Detail),
        (status = 409, description = "The name is taken.", body = Detail),
        Common,
    )
)]
pub async fn add(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<McpServerBody>,
) -> Answer<Vec<McpServerView>> {
    app.core.add_mcp_server(&actor, body).await?;
    let servers = app.core.list_mcp_servers(&actor).await?;
    Ok(Json(servers.into_iter().map(|server| app.core.mcp_view(&actor, server, false)).collect()))
}
