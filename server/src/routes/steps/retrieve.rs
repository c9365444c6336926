//! Reads a step.

use axum::{Json, extract::State};
use mneme_domain::{StepId, step::Step};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads a step.
#[utoipa::path(
    get,
    path = "/v1/steps/{step_id}",
    operation_id = "steps.retrieve",
    tag = "steps",
    params(("step_id" = String, Path, description = "`step-<uuid4>`")),
    responses((status = 200, description = "The step.", body = Step), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, Id(step): Id<StepId>) -> Answer<Step> {
    Ok(Json(app.core.get_step(&actor, &step).await?))
}
