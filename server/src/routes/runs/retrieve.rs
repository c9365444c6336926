//! Reads a run.

use axum::{Json, extract::State};
use mneme_domain::{RunId, run::Run};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads a run.
#[utoipa::path(
    get,
    path = "/v1/runs/{run_id}",
    operation_id = "runs.retrieve",
    tag = "runs",
    params(("run_id" = String, Path, description = "`run-<uuid4>`")),
    responses((status = 200, description = "The run.", body = Run), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, Id(run): Id<RunId>) -> Answer<Run> {
    Ok(Json(app.core.get_run(&actor, &run).await?))
}
