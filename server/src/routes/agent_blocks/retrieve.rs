//! Reads an agent's block.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, block::Block};

use crate::{
    app::AppState,
    http::{Answer, BlockLabel, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads the agent's block of a label.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/core-memory/blocks/{block_label}",
    operation_id = "agents.blocks.retrieve",
    tag = "agents/blocks",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("block_label" = String, Path, description = "The block's label, such as `human`.")
    ),
    responses((status = 200, description = "The block.", body = Block), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    BlockLabel(label): BlockLabel,
) -> Answer<Block> {
    Ok(Json(app.core.get_agent_block(&actor, &agent, &label).await?))
}
