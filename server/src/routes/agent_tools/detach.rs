//! Takes a tool from an agent.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, ToolId, agent::AgentState};

use crate::{
    app::AppState,
    http::{Answer, Caller, Client, Id},
    routes::{agent_blocks::agent_after, refusals::Refusals},
};

/// Takes a tool from the agent. The tool itself stays.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/tools/detach/{tool_id}",
    operation_id = "agents.tools.detach",
    tag = "agents/tools",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("tool_id" = String, Path, description = "`tool-<uuid4>`")
    ),
    responses((status = 200, description = "The agent, or nothing to newer clients.", body = Option<AgentState>), Refusals)
)]
pub async fn detach(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(agent): Id<AgentId>,
    Id(tool): Id<ToolId>,
) -> Answer<Option<AgentState>> {
    app.core.detach_tool(&actor, &agent, &tool).await?;
    Ok(Json(agent_after(&app, &actor, &agent, client).await?))
}
