//! Shows the model call of a step.

use axum::{Json, extract::State};
use mneme_domain::{StepId, step::ProviderTrace};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Shows what the model provider was sent in a step, and what it answered.
#[utoipa::path(
    get,
    path = "/v1/steps/{step_id}/trace",
    operation_id = "steps.trace.retrieve",
    tag = "steps",
    params(("step_id" = String, Path, description = "`step-<uuid4>`")),
    responses((status = 200, description = "The request and the answer, null when none was kept.", body = Option<ProviderTrace>), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(step): Id<StepId>,
) -> Answer<Option<ProviderTrace>> {
    Ok(Json(app.core.step_trace(&actor, &step).await?))
}
