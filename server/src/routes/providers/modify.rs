//! Changes a provider.

use axum::{Json, extract::State};
use mneme_core::{ProviderView, UpdateProvider};
use mneme_domain::ProviderId;

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Changes a provider's key, and its other settings where they are given.
#[utoipa::path(
    patch,
    path = "/v1/providers/{provider_id}",
    operation_id = "providers.modify",
    tag = "providers",
    params(("provider_id" = String, Path, description = "`provider-<uuid4>`")),
    request_body = UpdateProvider,
    responses((status = 200, description = "The provider as it is now.", body = ProviderView), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(provider): Id<ProviderId>,
    Body(body): Body<UpdateProvider>,
) -> Answer<ProviderView> {
    Ok(Json(app.core.update_provider(&actor, &provider, body).await?))
}
