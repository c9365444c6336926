//! Lists the messages of a run.

use axum::{Json, extract::State};
use mneme_domain::{Order, RunId, envelope::Envelope};

use crate::{
    app::AppState,
    http::{Answer, Caller, Client, Id, Paging, page::PageParams},
    routes::refusals::Refusals,
};

/// Messages of a page unless the client says otherwise.
const DEFAULT_LIMIT: u32 = 100;

/// Lists the messages of a run, oldest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/v1/runs/{run_id}/messages",
    operation_id = "runs.messages.list",
    tag = "runs",
    params(("run_id" = String, Path, description = "`run-<uuid4>`"), PageParams),
    responses((status = 200, description = "The messages.", body = Vec<Envelope>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(run): Id<RunId>,
    paging: Paging,
) -> Answer<Vec<Envelope>> {
    let page = paging.page_by_time(client, Order::Asc, DEFAULT_LIMIT);
    Ok(Json(app.core.run_messages(&actor, &run, &page).await?))
}
