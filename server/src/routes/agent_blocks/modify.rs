//! Changes an agent's block.

use axum::{Json, extract::State};
use mneme_domain::{
    AgentId,
    block::{Block, BlockUpdate},
};

use crate::{
    app::AppState,
    http::{Answer, BlockLabel, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Changes the agent's block of a label, for every agent that shares it.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/core-memory/blocks/{block_label}",
    operation_id = "agents.blocks.modify",
    tag = "agents/blocks",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("block_label" = String, Path, description = "The block's label, such as `human`.")
    ),
    request_body = BlockUpdate,
    responses((status = 200, description = "The block after the change.", body = Block), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    BlockLabel(label): BlockLabel,
    Body(body): Body<BlockUpdate>,
) -> Answer<Block> {
    Ok(Json(app.core.update_agent_block(&actor, &agent, &label, body).await?))
}
