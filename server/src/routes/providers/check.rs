//! Tries credentials.

use axum::{Json, extract::State};
use mneme_core::CheckProvider;

use super::Said;
use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Common,
};

/// Tries credentials of a provider; nothing is stored and no model is asked to generate anything.
#[utoipa::path(
    post,
    path = "/v1/providers/check",
    operation_id = "providers.check",
    tag = "providers",
    request_body = CheckProvider,
    responses((status = 200, description = "The provider takes them.", body = Said), Common)
)]
pub async fn check(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<CheckProvider>,
) -> Answer<Said> {
    Ok(Json(Said { message: app.core.check_provider(&actor, body).await? }))
}
