//! What a tool was refused. An addition to the API: no client library knows it yet.

use axum::{Json, extract::State};
use mneme_domain::{Order, ToolId, policy::ToolDenial};

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging,
        page::{DEFAULT_LIMIT, PageParams},
    },
    routes::refusals::Refusals,
};

/// Lists what a tool tried without having the power to, newest first. Equal refusals are counted, not repeated, and an
/// organisation keeps its newest 1,000.
#[utoipa::path(
    get,
    path = "/v1/tools/{tool_id}/denials",
    operation_id = "tools.denials.list",
    tag = "tools",
    params(("tool_id" = String, Path, description = "`tool-<uuid4>`"), PageParams),
    responses((status = 200, description = "The refusals.", body = Vec<ToolDenial>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(tool): Id<ToolId>,
    paging: Paging,
) -> Answer<Vec<ToolDenial>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.tool_denials(&actor, &tool, &page).await?))
}
