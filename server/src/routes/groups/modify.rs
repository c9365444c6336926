//! Changes a group.

use axum::{Json, extract::State};
use mneme_domain::{
    GroupId,
    group::{Group, GroupUpdate},
};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Changes what the body names and keeps the rest.
#[utoipa::path(
    patch,
    path = "/v1/groups/{group_id}",
    operation_id = "groups.modify",
    tag = "groups",
    params(("group_id" = String, Path, description = "`group-<uuid4>`")),
    request_body = GroupUpdate,
    responses((status = 200, description = "The group after the change.", body = Group), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(group): Id<GroupId>,
    Body(body): Body<GroupUpdate>,
) -> Answer<Group> {
    Ok(Json(app.core.update_group(&actor, &group, body).await?))
}
