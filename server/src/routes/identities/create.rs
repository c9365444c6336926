//! Creates an identity.

use axum::{Json, extract::State};
use mneme_domain::identity::{CreateIdentity, Identity};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Refusals,
};

/// Creates an identity. Its `identifier_key` must not be taken.
#[utoipa::path(
    post,
    path = "/v1/identities",
    operation_id = "identities.create",
    tag = "identities",
    request_body = CreateIdentity,
    responses((status = 200, description = "The identity.", body = Identity), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<CreateIdentity>,
) -> Answer<Identity> {
    Ok(Json(app.core.create_identity(&actor, body).await?))
}
