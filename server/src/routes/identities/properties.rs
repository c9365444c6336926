//! Sets properties of an identity.

use axum::{Json, extract::State};
use mneme_domain::{IdentityId, identity::IdentityProperty};
use serde_json::Value;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, body::ListBody},
    routes::refusals::Refusals,
};

/// Sets these properties of the identity and keeps its others.
#[utoipa::path(
    put,
    path = "/v1/identities/{identity_id}/properties",
    operation_id = "identities.properties.upsert",
    tag = "identities",
    params(("identity_id" = String, Path, description = "`identity-<uuid4>`")),
    request_body = Vec<IdentityProperty>,
    responses((status = 200, description = "They are set."), Refusals)
)]
pub async fn upsert(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(identity): Id<IdentityId>,
    ListBody(properties): ListBody<IdentityProperty>,
) -> Answer<Value> {
    app.core.upsert_identity_properties(&actor, &identity, properties).await?;
    Ok(Json(Value::Null))
}
