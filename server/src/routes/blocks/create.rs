//! Creates a block.

use axum::{Json, extract::State};
use mneme_domain::block::{Block, CreateBlock};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Common,
};

/// Creates a block that no agent has yet.
#[utoipa::path(
    post,
    path = "/v1/blocks",
    operation_id = "blocks.create",
    tag = "blocks",
    request_body = CreateBlock,
    responses((status = 200, description = "The block.", body = Block), Common)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<CreateBlock>,
) -> Answer<Block> {
    Ok(Json(app.core.create_block(&actor, body).await?))
}
