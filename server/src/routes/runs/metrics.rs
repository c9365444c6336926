//! Reads the measures of a run.

use axum::{Json, extract::State};
use mneme_domain::{RunId, run::RunMetrics};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads how long a run took and what it used.
#[utoipa::path(
    get,
    path = "/v1/runs/{run_id}/metrics",
    operation_id = "runs.retrieve-metrics-for-run",
    tag = "runs",
    params(("run_id" = String, Path, description = "`run-<uuid4>`")),
    responses((status = 200, description = "The measures.", body = RunMetrics), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, Id(run): Id<RunId>) -> Answer<RunMetrics> {
    Ok(Json(app.core.run_metrics(&actor, &run).await?))
}
