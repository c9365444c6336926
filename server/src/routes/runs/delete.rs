//! Deletes a run.

use axum::{Json, extract::State};
use mneme_domain::{RunId, run::Run};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Deletes the record of a run. Its messages stay.
#[utoipa::path(
    delete,
    path = "/v1/runs/{run_id}",
    operation_id = "runs.delete",
    tag = "runs",
    params(("run_id" = String, Path, description = "`run-<uuid4>`")),
    responses((status = 200, description = "The run as it was.", body = Run), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, Id(run): Id<RunId>) -> Answer<Run> {
    Ok(Json(app.core.delete_run(&actor, &run).await?))
}
