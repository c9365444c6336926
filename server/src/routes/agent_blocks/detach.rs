//! Takes a block from an agent.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, BlockId, agent::AgentState};

use crate::{
    app::AppState,
    http::{Answer, Caller, Client, Id},
    routes::{agent_blocks::agent_after, refusals::Refusals},
};

/// Takes a block out of the agent's memory. The block itself stays.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/core-memory/blocks/detach/{block_id}",
    operation_id = "agents.blocks.detach",
    tag = "agents/blocks",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("block_id" = String, Path, description = "`block-<uuid4>`")
    ),
    responses((status = 200, description = "The agent, or nothing to newer clients.", body = Option<AgentState>), Refusals)
)]
pub async fn detach(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(agent): Id<AgentId>,
    Id(block): Id<BlockId>,
) -> Answer<Option<AgentState>> {
    app.core.detach_block(&actor, &agent, &block).await?;
    Ok(Json(agent_after(&app, &actor, &agent, client).await?))
}
