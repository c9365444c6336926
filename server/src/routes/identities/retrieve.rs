//! Reads an identity.

use axum::{Json, extract::State};
use mneme_domain::{IdentityId, identity::Identity};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads an identity.
#[utoipa::path(
    get,
    path = "/v1/identities/{identity_id}",
    operation_id = "identities.retrieve",
    tag = "identities",
    params(("identity_id" = String, Path, description = "`identity-<uuid4>`")),
    responses((status = 200, description = "The identity.", body = Identity), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(identity): Id<IdentityId>,
) -> Answer<Identity> {
    Ok(Json(app.core.get_identity(&actor, &identity).await?))
}
