//! Creates an identity or rewrites the one that has its key.

use axum::{Json, extract::State};
use mneme_domain::identity::{CreateIdentity, Identity};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Refusals,
};

/// Creates an identity, or rewrites the one of this `identifier_key`: what the body names takes the place of what was
/// there.
#[utoipa::path(
    put,
    path = "/v1/identities",
    operation_id = "identities.upsert",
    tag = "identities",
    request_body = CreateIdentity,
    responses((status = 200, description = "The identity.", body = Identity), Refusals)
)]
pub async fn upsert(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<CreateIdentity>,
) -> Answer<Identity> {
    Ok(Json(app.core.upsert_identity(&actor, body).await?))
}
