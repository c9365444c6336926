//! Calls a tool of a server. An addition to the API's description, known to older clients.

use axum::{Json, extract::State};
use mneme_domain::{JsonObject, message::ToolStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Caller, McpServerName, McpToolName, OptionalBody},
    routes::refusals::Refusals,
};

/// The arguments.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = McpToolCallByName)]
pub struct Call {
    /// By name.
    #[serde(default)]
    #[schema(value_type = Object)]
    args: JsonObject,
}

/// What the call came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = McpToolCalledByName)]
pub struct Called {
    /// What the tool returned, or what went wrong.
    result: String,
    /// Whether it went well.
    success: bool,
}

/// Calls a tool of an MCP server, on behalf of no agent.
#[utoipa::path(
    post,
    path = "/v1/tools/mcp/servers/{mcp_server_name}/tools/{mcp_tool_name}/execute",
    operation_id = "tools.execute-mcp-tool",
    tag = "tools",
    params(
        ("mcp_server_name" = String, Path, description = "The server's name."),
        ("mcp_tool_name" = String, Path, description = "The tool's name on the server."),
    ),
    request_body = Call,
    responses((status = 200, description = "What the call came to.", body = Called), Refusals)
)]
pub async fn execute(
    State(app): State<AppState>,
    Caller(actor): Caller,
    McpServerName(name): McpServerName,
    McpToolName(tool): McpToolName,
    OptionalBody(call): OptionalBody<Call>,
) -> Answer<Called> {
    let server = app.core.mcp_server_named(&actor, &name).await?;
    let answer = app.core.run_listed_mcp_tool(&actor, &server, &tool, call.unwrap_or_default().args).await?;
    Ok(Json(Called { result: answer.text, success: answer.status == ToolStatus::Success }))
}
