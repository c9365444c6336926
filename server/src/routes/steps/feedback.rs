//! Judges a step.

use axum::{Json, extract::State};
use mneme_domain::{
    StepId,
    step::{Feedback, Step},
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// A judgement.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Judgement {
    /// `positive`, `negative`, or null to take it back.
    #[serde(default)]
    feedback: Option<Feedback>,
    /// Labels that replace the step's; left out, it keeps them.
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// Keeps a judgement with a step.
#[utoipa::path(
    patch,
    path = "/v1/steps/{step_id}/feedback",
    operation_id = "steps.feedback.create",
    tag = "steps",
    params(("step_id" = String, Path, description = "`step-<uuid4>`")),
    request_body = Judgement,
    responses((status = 200, description = "The step.", body = Step), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(step): Id<StepId>,
    Body(body): Body<Judgement>,
) -> Answer<Step> {
    Ok(Json(app.core.step_feedback(&actor, &step, body.feedback, body.tags).await?))
}
