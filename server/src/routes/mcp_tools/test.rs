//! Tries a server.

use axum::{Json, extract::State};
use mneme_core::mcp::McpServerBody;
use mneme_domain::mcp::{McpServerShape, McpTool};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::{Common, Detail},
};

/// A server that answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tested {
    /// Always `success`.
    status: &'static str,
    /// Its tools.
    tools: Vec<McpTool>,
}

/// Connects to an MCP server and asks for its tools. Nothing of it is kept.
#[utoipa::path(
    post,
    path = "/v1/tools/mcp/servers/test",
    operation_id = "tools.test-mcp-server",
    tag = "tools",
    request_body = McpServerShape,
    responses(
        (status = 200, description = "The server answered.", body = Tested),
        (status = 400, description = "It could not be reached, or refused.", body = Detail),
        (status = 403, description = "Such a server may not be tried.", body = Detail),
        (status = 408, description = "It did not answer in time.", body = Detail),
        Common,
    )
)]
pub async fn test(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<McpServerBody>,
) -> Answer<Tested> {
    let tools = app.core.test_mcp_server(&actor, body).await?;
    Ok(Json(Tested { status: "success", tools }))
}
