//! Shows a provider.

use axum::{Json, extract::State};
use mneme_core::ProviderView;
use mneme_domain::ProviderId;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Shows a provider without its key.
#[utoipa::path(
    get,
    path = "/v1/providers/{provider_id}",
    operation_id = "providers.retrieve-provider",
    tag = "providers",
    params(("provider_id" = String, Path, description = "`provider-<uuid4>`")),
    responses((status = 200, description = "The provider.", body = ProviderView), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(provider): Id<ProviderId>,
) -> Answer<ProviderView> {
    Ok(Json(app.core.get_provider(&actor, &provider).await?))
}
