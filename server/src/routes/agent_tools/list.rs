//! Lists an agent's tools.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, Order, tool::Tool};

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging,
        page::{DEFAULT_LIMIT, PageParams},
    },
    routes::refusals::Refusals,
};

/// Lists the agent's tools.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/tools",
    operation_id = "agents.tools.list",
    tag = "agents/tools",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), PageParams),
    responses((status = 200, description = "The tools.", body = Vec<Tool>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    paging: Paging,
) -> Answer<Vec<Tool>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.list_agent_tools(&actor, &agent, &page).await?))
}
