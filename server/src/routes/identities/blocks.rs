//! Lists the blocks of an identity.

use axum::{Json, extract::State};
use mneme_domain::{IdentityId, Order, block::Block};

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging,
        page::{DEFAULT_LIMIT, PageParams},
    },
    routes::refusals::Refusals,
};

/// Lists the blocks of the identity.
#[utoipa::path(
    get,
    path = "/v1/identities/{identity_id}/blocks",
    operation_id = "identities.blocks.list",
    tag = "identities",
    params(("identity_id" = String, Path, description = "`identity-<uuid4>`"), PageParams),
    responses((status = 200, description = "The blocks.", body = Vec<Block>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(identity): Id<IdentityId>,
    paging: Paging,
) -> Answer<Vec<Block>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.identity_blocks(&actor, &identity, &page).await?))
}
