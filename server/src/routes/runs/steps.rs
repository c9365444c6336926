//! Lists the steps of a run.

use axum::{Json, extract::State};
use mneme_domain::{Order, RunId, step::Step};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, Paging, page::PageParams},
    routes::refusals::Refusals,
};

/// Steps of a page unless the client says otherwise.
const DEFAULT_LIMIT: u32 = 100;

/// Lists the steps of a run, newest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/v1/runs/{run_id}/steps",
    operation_id = "runs.steps.list",
    tag = "runs",
    params(("run_id" = String, Path, description = "`run-<uuid4>`"), PageParams),
    responses((status = 200, description = "The steps.", body = Vec<Step>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(run): Id<RunId>,
    paging: Paging,
) -> Answer<Vec<Step>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.run_steps(&actor, &run, &page).await?))
}
