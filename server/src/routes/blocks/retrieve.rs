//! Reads a block.

use axum::{Json, extract::State};
use mneme_domain::{BlockId, block::Block};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads a block.
#[utoipa::path(
    get,
    path = "/v1/blocks/{block_id}",
    operation_id = "blocks.retrieve",
    tag = "blocks",
    params(("block_id" = String, Path, description = "`block-<uuid4>`")),
    responses((status = 200, description = "The block.", body = Block), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, Id(block): Id<BlockId>) -> Answer<Block> {
    Ok(Json(app.core.get_block(&actor, &block).await?))
}
