//! Lists an agent's blocks.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, Order, block::Block};

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging,
        page::{DEFAULT_LIMIT, PageParams},
    },
    routes::refusals::Refusals,
};

/// Lists the agent's blocks.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/core-memory/blocks",
    operation_id = "agents.blocks.list",
    tag = "agents/blocks",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), PageParams),
    responses((status = 200, description = "The blocks.", body = Vec<Block>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    paging: Paging,
) -> Answer<Vec<Block>> {
    let page = paging.page(Order::Asc, DEFAULT_LIMIT);
    Ok(Json(app.core.list_agent_blocks(&actor, &agent, &page).await?))
}
