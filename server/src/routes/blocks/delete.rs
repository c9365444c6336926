//! Deletes a block.

use axum::{Json, extract::State};
use mneme_domain::BlockId;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Deletes a block and takes it from its agents.
#[utoipa::path(
    delete,
    path = "/v1/blocks/{block_id}",
    operation_id = "blocks.delete",
    tag = "blocks",
    params(("block_id" = String, Path, description = "`block-<uuid4>`")),
    responses((status = 200, description = "It is gone; the body is null."), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, Id(block): Id<BlockId>) -> Answer<()> {
    app.core.delete_block(&actor, &block).await?;
    Ok(Json(()))
}
