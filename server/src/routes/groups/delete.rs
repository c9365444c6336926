//! Deletes a group.

use axum::{Json, extract::State};
use mneme_domain::GroupId;
use serde_json::Value;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Deletes a group. Its agents and blocks stay.
#[utoipa::path(
    delete,
    path = "/v1/groups/{group_id}",
    operation_id = "groups.delete",
    tag = "groups",
    params(("group_id" = String, Path, description = "`group-<uuid4>`")),
    responses((status = 200, description = "It is gone."), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, Id(group): Id<GroupId>) -> Answer<Value> {
    app.core.delete_group(&actor, &group).await?;
    Ok(Json(Value::Null))
}
