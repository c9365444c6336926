//! Lists the messages of a step.

use axum::{Json, extract::State};
use mneme_domain::{Order, StepId, envelope::Envelope};

use crate::{
    app::AppState,
    http::{Answer, Caller, Client, Id, Paging, page::PageParams},
    routes::refusals::Refusals,
};

/// Messages of a page unless the client says otherwise.
const DEFAULT_LIMIT: u32 = 100;

/// Lists the messages of a step, oldest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/v1/steps/{step_id}/messages",
    operation_id = "steps.messages.list",
    tag = "steps",
    params(("step_id" = String, Path, description = "`step-<uuid4>`"), PageParams),
    responses((status = 200, description = "The messages.", body = Vec<Envelope>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(step): Id<StepId>,
    paging: Paging,
) -> Answer<Vec<Envelope>> {
    let page = paging.page_by_time(client, Order::Asc, DEFAULT_LIMIT);
    Ok(Json(app.core.step_messages(&actor, &step, &page).await?))
}
