//! Sets a server up.

use axum::{Json, extract::State};
use mneme_core::mcp::McpServerBody;
use mneme_domain::mcp::{McpServerShape, McpServerView};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::{Common, Detail},
};

/// Sets an MCP server up and takes all of its tools. A server that does not answer is set up all the same; refresh it
/// when it does.
#[utoipa::path(
    post,
    path = "/v1/mcp-servers",
    operation_id = "mcpServers.mcp-create-mcp-server",
    tag = "mcp-servers",
    request_body = McpServerShape,
    responses(
        (status = 200, description = "The server.", body = McpServerShape),
        (status = 403, description = "Such a server may not be set up.", body = Detail),
        (status = 409, description = "The name is taken.", body = Detail),
        Common,
    )
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<McpServerBody>,
) -> Answer<McpServerView> {
    let server = app.core.create_mcp_server(&actor, body).await?;
    Ok(Json(app.core.mcp_view(&actor, server, true)))
}
