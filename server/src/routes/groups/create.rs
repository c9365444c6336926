//! Creates a group.

use axum::{Json, extract::State};
use mneme_domain::group::{CreateGroup, Group};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Refusals,
};

/// Creates a group of agents.
#[utoipa::path(
    post,
    path = "/v1/groups",
    operation_id = "groups.create",
    tag = "groups",
    request_body = CreateGroup,
    responses((status = 200, description = "The group.", body = Group), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<CreateGroup>,
) -> Answer<Group> {
    Ok(Json(app.core.create_group(&actor, body).await?))
}
