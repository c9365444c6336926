//! Ends a token.

use axum::{extract::State, http::StatusCode};

use crate::{
    app::AppState,
    http::{ApiError, Caller, path::TokenName},
    routes::refusals::Refusals,
};

/// Ends a token at once. It may be given whole, or as lists show it.
#[utoipa::path(
    delete,
    path = "/v1/client-side-access-tokens/{token}",
    operation_id = "clientSideAccessTokens.delete",
    tag = "client-side-access-tokens",
    params(("token" = String, Path, description = "The token")),
    responses((status = 204, description = "It is worth nothing any more."), Refusals)
)]
pub async fn delete(
    State(app): State<AppState>,
    Caller(actor): Caller,
    TokenName(token): TokenName,
) -> Result<StatusCode, ApiError> {
    app.core.delete_client_token(&actor, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}
