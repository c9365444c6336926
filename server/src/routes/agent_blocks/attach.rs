//! Gives an agent a block.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, BlockId, agent::AgentState};

use crate::{
    app::AppState,
    http::{Answer, Caller, Client, Id},
    routes::{agent_blocks::agent_after, refusals::Refusals},
};

/// Puts a block into the agent's memory. Agents may share a block.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/core-memory/blocks/attach/{block_id}",
    operation_id = "agents.blocks.attach",
    tag = "agents/blocks",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("block_id" = String, Path, description = "`block-<uuid4>`")
    ),
    responses((status = 200, description = "The agent, or nothing to newer clients.", body = Option<AgentState>), Refusals)
)]
pub async fn attach(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(agent): Id<AgentId>,
    Id(block): Id<BlockId>,
) -> Answer<Option<AgentState>> {
    app.core.attach_block(&actor, &agent, &block).await?;
    Ok(Json(agent_after(&app, &actor, &agent, client).await?))
}
