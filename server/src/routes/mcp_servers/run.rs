//! Calls a tool of a server.

use axum::{Json, extract::State};
use mneme_domain::{JsonObject, McpServerId, ToolId, message::ToolStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, OptionalBody},
    routes::refusals::Refusals,
};

/// The arguments.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = McpToolCall)]
pub struct Call {
    /// By name.
    #[serde(default)]
    #[schema(value_type = Object)]
    args: JsonObject,
}

/// What a call came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = McpToolCalled)]
pub struct Called {
    /// How it went.
    #[schema(value_type = String)]
    status: ToolStatus,
    /// What the tool returned, or what went wrong.
    func_return: String,
    /// Always null: no agent takes part.
    agent_state: Option<String>,
    /// Always null: the tool runs elsewhere.
    stdout: Option<Vec<String>>,
    /// Always null.
    stderr: Option<Vec<String>>,
    /// Always null.
    sandbox_config_fingerprint: Option<String>,
}

/// Calls a tool of an MCP server, on behalf of no agent.
#[utoipa::path(
    post,
    path = "/v1/mcp-servers/{mcp_server_id}/tools/{tool_id}/run",
    operation_id = "mcpServers.mcp-run-tool",
    tag = "mcp-servers",
    params(
        ("mcp_server_id" = String, Path, description = "`mcp_server-<uuid4>`"),
        ("tool_id" = String, Path, description = "`tool-<uuid4>`"),
    ),
    request_body = Call,
    responses((status = 200, description = "What the call came to, well or badly.", body = Called), Refusals)
)]
pub async fn run(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(server): Id<McpServerId>,
    Id(tool): Id<ToolId>,
    OptionalBody(call): OptionalBody<Call>,
) -> Answer<Called> {
    let tool = app.core.registered_mcp_tool(&actor, &server, &tool).await?;
    let server = app.core.get_mcp_server(&actor, &server).await?;
    let answer = app.core.run_mcp_tool(&actor, &server, &tool, call.unwrap_or_default().args).await?;
    Ok(Json(Called {
        status: answer.status,
        func_return: answer.text,
        agent_state: None,
        stdout: None,
        stderr: None,
        sandbox_config_fingerprint: None,
    }))
}
