//! What a server that is a process wrote to standard error. An addition to the API: no client library knows it yet.

use axum::{Json, extract::State};
use mneme_core::mcp::McpLog;
use mneme_domain::McpServerId;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads the newest of what a stdio server wrote to standard error, since this server started.
#[utoipa::path(
    get,
    path = "/v1/mcp-servers/{mcp_server_id}/log",
    operation_id = "mcpServers.log",
    tag = "mcp-servers",
    params(("mcp_server_id" = String, Path, description = "`mcp_server-<uuid4>`")),
    responses((status = 200, description = "The newest 64 KiB.", body = McpLog), Refusals)
)]
pub async fn log(State(app): State<AppState>, Caller(actor): Caller, Id(id): Id<McpServerId>) -> Answer<McpLog> {
    let server = app.core.get_mcp_server(&actor, &id).await?;
    Ok(Json(app.core.mcp_log(&server)))
}
