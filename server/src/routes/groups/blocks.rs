//! Has the agents of a group share a block.

use axum::{Json, extract::State};
use mneme_domain::{BlockId, GroupId, group::Group};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Gives the block to the group and to its agents. An agent that has another block of that label keeps it.
#[utoipa::path(
    patch,
    path = "/v1/groups/{group_id}/blocks/attach/{block_id}",
    operation_id = "groups.attach-block-to-group",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "`group-<uuid4>`"),
        ("block_id" = String, Path, description = "`block-<uuid4>`")
    ),
    responses((status = 200, description = "The group after the change.", body = Group), Refusals)
)]
pub async fn attach(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(group): Id<GroupId>,
    Id(block): Id<BlockId>,
) -> Answer<Group> {
    Ok(Json(app.core.set_group_block(&actor, &group, &block, true).await?))
}

/// Takes the block from the group and from its agents. The block stays.
#[utoipa::path(
    patch,
    path = "/v1/groups/{group_id}/blocks/detach/{block_id}",
    operation_id = "groups.detach-block-from-group",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "`group-<uuid4>`"),
        ("block_id" = String, Path, description = "`block-<uuid4>`")
    ),
    responses((status = 200, description = "The group after the change.", body = Group), Refusals)
)]
pub async fn detach(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(group): Id<GroupId>,
    Id(block): Id<BlockId>,
) -> Answer<Group> {
    Ok(Json(app.core.set_group_block(&actor, &group, &block, false).await?))
}
