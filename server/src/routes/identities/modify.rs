//! Changes an identity.

use axum::{Json, extract::State};
use mneme_domain::{
    IdentityId,
    identity::{Identity, IdentityUpdate},
};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Changes what the body names and keeps the rest. Agents, blocks and properties are added to those that are there.
#[utoipa::path(
    patch,
    path = "/v1/identities/{identity_id}",
    operation_id = "identities.modify",
    tag = "identities",
    params(("identity_id" = String, Path, description = "`identity-<uuid4>`")),
    request_body = IdentityUpdate,
    responses((status = 200, description = "The identity after the change.", body = Identity), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(identity): Id<IdentityId>,
    Body(body): Body<IdentityUpdate>,
) -> Answer<Identity> {
    Ok(Json(app.core.update_identity(&actor, &identity, body).await?))
}
