//! Reads a run as spans.

use axum::{Json, extract::State};
use mneme_core::Span;
use mneme_domain::RunId;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, Query},
    routes::refusals::Refusals,
};

/// Spans of an answer unless the client says otherwise, and at most.
const MOST: u32 = 1000;

/// How much.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// At most this many spans, 1 to 1000.
    limit: Option<u32>,
}

/// Reads how long the parts of a run took: the whole, its steps, and in each the model call and the tools.
#[utoipa::path(
    get,
    path = "/v1/runs/{run_id}/trace",
    operation_id = "runs.trace.retrieve",
    tag = "runs",
    params(("run_id" = String, Path, description = "`run-<uuid4>`"), Params),
    responses((status = 200, description = "The spans, the whole run first.", body = Vec<Span>), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(run): Id<RunId>,
    Query(params): Query<Params>,
) -> Answer<Vec<Span>> {
    let limit = params.limit.unwrap_or(MOST).clamp(1, MOST) as usize;
    Ok(Json(app.core.run_trace(&actor, &run, limit).await?))
}
