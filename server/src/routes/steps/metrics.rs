//! Reads the measures of a step.

use axum::{Json, extract::State};
use mneme_domain::{StepId, step::StepMetrics};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads how long the parts of a step took.
#[utoipa::path(
    get,
    path = "/v1/steps/{step_id}/metrics",
    operation_id = "steps.metrics.retrieve",
    tag = "steps",
    params(("step_id" = String, Path, description = "`step-<uuid4>`")),
    responses((status = 200, description = "The measures.", body = StepMetrics), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, Id(step): Id<StepId>) -> Answer<StepMetrics> {
    Ok(Json(app.core.step_metrics(&actor, &step).await?))
}
