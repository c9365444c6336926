//! Lists an agent's tools.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, Order, agent::Include, tool::Tool, tool_rule::ToolRule};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging,
        page::{DEFAULT_LIMIT, PageParams},
    },
    routes::refusals::Refusals,
};

/// A tool as an agent has it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToolOfAgent {
    #[serde(flatten)]
    tool: Tool,
    /// Whether each call of the agent has to be approved.
    requires_approval: bool,
}

/// Lists the agent's tools.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/tools",
    operation_id = "agents.tools.list",
    tag = "agents/tools",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), PageParams),
    responses((status = 200, description = "The tools.", body = Vec<ToolOfAgent>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    paging: Paging,
) -> Answer<Vec<ToolOfAgent>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    let rules = app.core.get_agent(&actor, &agent, Include::NONE).await?.tool_rules;
    let is_guarded = |tool: &Tool| {
        let about = |rule: &ToolRule| matches!(rule, ToolRule::RequiresApproval { .. });
        rules.iter().any(|rule| about(rule) && rule.tool_name() == tool.call_name())
    };
    let tools = app.core.list_agent_tools(&actor, &agent, &page).await?.into_iter();
    Ok(Json(tools.map(|tool| ToolOfAgent { requires_approval: is_guarded(&tool), tool }).collect()))
}
