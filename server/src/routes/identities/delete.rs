//! Deletes an identity.

use axum::{Json, extract::State};
use mneme_domain::IdentityId;
use serde_json::Value;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Deletes an identity. Its agents and blocks stay.
#[utoipa::path(
    delete,
    path = "/v1/identities/{identity_id}",
    operation_id = "identities.delete",
    tag = "identities",
    params(("identity_id" = String, Path, description = "`identity-<uuid4>`")),
    responses((status = 200, description = "It is gone."), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, Id(identity): Id<IdentityId>) -> Answer<Value> {
    app.core.delete_identity(&actor, &identity).await?;
    Ok(Json(Value::Null))
}
