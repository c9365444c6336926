//! Tries the credentials of a stored provider.

use axum::{Json, extract::State};
use mneme_domain::ProviderId;

use super::Said;
use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Tries the stored credentials of a provider; no model is asked to generate anything.
#[utoipa::path(
    post,
    path = "/v1/providers/{provider_id}/check",
    operation_id = "providers.check-existing-provider",
    tag = "providers",
    params(("provider_id" = String, Path, description = "`provider-<uuid4>`")),
    responses((status = 200, description = "The provider takes them.", body = Said), Refusals)
)]
pub async fn check_existing(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(provider): Id<ProviderId>,
) -> Answer<Said> {
    Ok(Json(Said { message: app.core.check_existing_provider(&actor, &provider).await? }))
}
