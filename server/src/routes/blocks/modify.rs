//! Changes a block.

use axum::{Json, extract::State};
use mneme_domain::{
    BlockId,
    block::{Block, BlockUpdate},
};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Changes what the body names and keeps the rest. Every agent that has the block sees the change.
#[utoipa::path(
    patch,
    path = "/v1/blocks/{block_id}",
    operation_id = "blocks.modify",
    tag = "blocks",
    params(("block_id" = String, Path, description = "`block-<uuid4>`")),
    request_body = BlockUpdate,
    responses((status = 200, description = "The block after the change.", body = Block), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(block): Id<BlockId>,
    Body(body): Body<BlockUpdate>,
) -> Answer<Block> {
    Ok(Json(app.core.update_block(&actor, &block, body).await?))
}
