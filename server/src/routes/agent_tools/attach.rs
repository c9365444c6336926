//! Gives an agent a tool.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, ToolId, agent::AgentState};

use crate::{
    app::AppState,
    http::{Answer, Caller, Client, Id},
    routes::{agent_blocks::agent_after, refusals::Refusals},
};

/// Gives the agent a tool.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/tools/attach/{tool_id}",
    operation_id = "agents.tools.attach",
    tag = "agents/tools",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("tool_id" = String, Path, description = "`tool-<uuid4>`")
    ),
    responses((status = 200, description = "The agent, or nothing to newer clients.", body = Option<AgentState>), Refusals)
)]
pub async fn attach(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(agent): Id<AgentId>,
    Id(tool): Id<ToolId>,
) -> Answer<Option<AgentState>> {
    app.core.attach_tool(&actor, &agent, &tool).await?;
    Ok(Json(agent_after(&app, &actor, &agent, client).await?))
}
