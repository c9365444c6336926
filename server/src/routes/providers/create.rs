//! Adds a provider.

use axum::{Json, extract::State};
use mneme_core::{CreateProvider, ProviderView};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Common,
};

/// Adds a provider with a key of the organisation's own. The key is stored encrypted and never shown again.
#[utoipa::path(
    post,
    path = "/v1/providers",
    operation_id = "providers.create",
    tag = "providers",
    request_body = CreateProvider,
    responses((status = 200, description = "The provider.", body = ProviderView), Common)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<CreateProvider>,
) -> Answer<ProviderView> {
    Ok(Json(app.core.create_provider(&actor, body).await?))
}
