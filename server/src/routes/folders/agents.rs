//! Lists the agents that have a folder.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, Order, Page, SourceId};

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging,
        page::{DEFAULT_LIMIT, PageParams},
        path::FolderId,
    },
    routes::refusals::Refusals,
};

/// Lists the ids of the agents that have the folder, newest first.
#[utoipa::path(
    get,
    path = "/v1/folders/{folder_id}/agents",
    operation_id = "folders.agents.list",
    tag = "folders",
    params(("folder_id" = String, Path, description = "`source-<uuid4>`"), PageParams),
    responses((status = 200, description = "The agents.", body = Vec<String>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    FolderId(folder): FolderId,
    paging: Paging,
) -> Answer<Vec<AgentId>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.folder_agents(&actor, &folder, &page).await?))
}

/// Lists the ids of the agents that have the folder, newest first.
#[utoipa::path(
    get,
    path = "/v1/sources/{source_id}/agents",
    operation_id = "sources.get-agents-for-source",
    tag = "sources",
    params(("source_id" = String, Path, description = "`source-<uuid4>`"), PageParams),
    responses((status = 200, description = "The agents.", body = Vec<String>), Refusals)
)]
pub async fn list_of_source(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(folder): Id<SourceId>,
    paging: Paging,
) -> Answer<Vec<AgentId>> {
    let page = paging.page(Order::Desc, Page::MAX_LIMIT);
    Ok(Json(app.core.folder_agents(&actor, &folder, &page).await?))
}
