//! Shows the model call of a step, under the path of older clients.

use axum::{Json, extract::State};
use mneme_domain::{StepId, step::ProviderTrace};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// The same as the step's trace, for older clients.
#[utoipa::path(
    get,
    path = "/v1/telemetry/{step_id}",
    operation_id = "telemetry.retrieve-provider-trace",
    tag = "telemetry",
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
