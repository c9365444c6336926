//! Makes a token.

use axum::{Json, extract::State, http::StatusCode};
use mneme_core::NewToken;
use mneme_domain::client_token::Grant;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::TokenView;
use crate::{
    app::AppState,
    http::{ApiError, Body, Caller},
    routes::refusals::Refusals,
};

/// What the token is for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CreateToken {
    /// The agents and the rights to them.
    policy: Vec<Grant>,
    /// The web site whose pages may use it.
    hostname: String,
    /// When it ends, as ISO 8601; after five minutes when left out.
    expires_at: Option<String>,
}

/// Makes a token for an end user's program. This answer is the only one that shows it.
#[utoipa::path(
    post,
    path = "/v1/client-side-access-tokens",
    operation_id = "clientSideAccessTokens.create",
    tag = "client-side-access-tokens",
    request_body = CreateToken,
    responses((status = 201, description = "The token.", body = TokenView), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<CreateToken>,
) -> Result<(StatusCode, Json<TokenView>), ApiError> {
    let new = NewToken { policy: body.policy, hostname: body.hostname, expires_at: body.expires_at };
    let issued = app.core.create_client_token(&actor, new).await?;
    Ok((StatusCode::CREATED, Json(TokenView::from(issued))))
}
