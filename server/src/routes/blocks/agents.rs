//! Lists the agents that have a block.

use axum::{Json, extract::State};
use mneme_domain::{BlockId, Order, agent::AgentState};

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging, Wanted,
        include::IncludeParams,
        page::{DEFAULT_LIMIT, PageParams},
    },
    routes::refusals::Refusals,
};

/// Lists the agents that have the block.
#[utoipa::path(
    get,
    path = "/v1/blocks/{block_id}/agents",
    operation_id = "blocks.agents.list",
    tag = "blocks",
    params(("block_id" = String, Path, description = "`block-<uuid4>`"), PageParams, IncludeParams),
    responses((status = 200, description = "The agents.", body = Vec<AgentState>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(block): Id<BlockId>,
    paging: Paging,
    Wanted(include): Wanted,
) -> Answer<Vec<AgentState>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.block_agents(&actor, &block, &page, include).await?))
}
