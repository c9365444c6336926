//! Deletes a provider.

use axum::{Json, extract::State};
use mneme_domain::ProviderId;

use super::Said;
use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Deletes a provider; its models can no longer be used.
#[utoipa::path(
    delete,
    path = "/v1/providers/{provider_id}",
    operation_id = "providers.delete",
    tag = "providers",
    params(("provider_id" = String, Path, description = "`provider-<uuid4>`")),
    responses((status = 200, description = "It is gone.", body = Said), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, Id(provider): Id<ProviderId>) -> Answer<Said> {
    app.core.delete_provider(&actor, &provider).await?;
    Ok(Json(Said { message: format!("Provider id={provider} successfully deleted") }))
}
