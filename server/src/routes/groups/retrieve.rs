//! Reads a group.

use axum::{Json, extract::State};
use mneme_domain::{GroupId, group::Group};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads a group.
#[utoipa::path(
    get,
    path = "/v1/groups/{group_id}",
    operation_id = "groups.retrieve",
    tag = "groups",
    params(("group_id" = String, Path, description = "`group-<uuid4>`")),
    responses((status = 200, description = "The group.", body = Group), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, Id(group): Id<GroupId>) -> Answer<Group> {
    Ok(Json(app.core.get_group(&actor, &group).await?))
}
