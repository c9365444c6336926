//! Calls a tool of an agent outside of its turns.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, JsonObject, message::ToolStatus};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, OptionalBody, ToolName},
    routes::refusals::Refusals,
};

/// The arguments.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = AgentToolCall)]
pub struct Call {
    /// By name.
    #[serde(default)]
    #[schema(value_type = Object)]
    args: JsonObject,
}

/// What a call came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentToolReturn)]
pub struct Called {
    /// How it went.
    #[schema(value_type = String)]
    status: ToolStatus,
    /// What the tool returned, or what went wrong.
    func_return: String,
    /// Standard output: empty, or one text.
    stdout: Vec<String>,
    /// Standard error, with the traceback of an exception.
    stderr: Vec<String>,
    /// Always null: nothing of the agent changes.
    agent_state: Option<String>,
    /// Always null: there is one sandbox.
    sandbox_config_fingerprint: Option<String>,
}

/// Calls a tool of the agent with its variables. Nothing is said to the agent, its memory is out of reach, and a tool
/// whose calls a person approves is refused.
#[utoipa::path(
    post,
    path = "/v1/agents/{agent_id}/tools/{tool_name}/run",
    operation_id = "agents.tools.run",
    tag = "agents/tools",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("tool_name" = String, Path, description = "The name that the tool is called by"),
    ),
    request_body = Option<Call>,
    responses((status = 200, description = "What the call came to, well or badly.", body = Called), Refusals)
)]
pub async fn run(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    ToolName(tool): ToolName,
    OptionalBody(call): OptionalBody<Call>,
) -> Answer<Called> {
    let answer = app.core.call_agent_tool(&actor, &agent, &tool, call.unwrap_or_default().args).await?;
    Ok(Json(Called {
        status: answer.status,
        func_return: answer.text,
        stdout: answer.stdout,
        stderr: answer.stderr,
        agent_state: None,
        sandbox_config_fingerprint: None,
    }))
}
