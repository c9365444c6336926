//! Connects to a server, with a person's permission where it wants one.

use axum::{extract::State, response::Response};
use mneme_domain::McpServerId;

use crate::{
    app::AppState,
    http::{ApiError, Caller, Id},
    routes::{
        mcp_tools::{Redirect, events},
        refusals::Refusals,
    },
};

/// Connects to an MCP server that is set up, and takes its tools. The events are those of the older resource.
#[utoipa::path(
    get,
    path = "/v1/mcp-servers/connect/{mcp_server_id}",
    operation_id = "mcpServers.mcp-connect-mcp-server",
    tag = "mcp-servers",
    params(("mcp_server_id" = String, Path, description = "`mcp_server-<uuid4>`")),
    responses((status = 200, description = "A stream of events.", content_type = "text/event-stream"), Refusals)
)]
pub async fn connect(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Redirect(redirect): Redirect,
    Id(id): Id<McpServerId>,
) -> Result<Response, ApiError> {
    let server = app.core.get_mcp_server(&actor, &id).await?;
    Ok(events(app.core.connect_mcp_server(&actor, server, redirect)?))
}
