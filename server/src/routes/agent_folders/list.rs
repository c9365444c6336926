//! Lists the folders of an agent.

use axum::{Json, extract::State};
use mneme_domain::{
    AgentId, Order, Page,
    folder::{Folder, Source},
};

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging,
        page::{DEFAULT_LIMIT, PageParams},
    },
    routes::refusals::Refusals,
};

/// Lists the agent's folders, newest first.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/folders",
    operation_id = "agents.folders.list",
    tag = "agents/folders",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), PageParams),
    responses((status = 200, description = "The folders.", body = Vec<Folder>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    paging: Paging,
) -> Answer<Vec<Folder>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    let found = app.core.agent_folders(&actor, &agent, &page).await?;
    Ok(Json(found))
}

/// Lists the agent's folders, newest first.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/sources",
    operation_id = "agents.sources.list",
    tag = "agents/sources",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), PageParams),
    responses((status = 200, description = "The folders.", body = Vec<Source>), Refusals)
)]
pub async fn list_sources(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    paging: Paging,
) -> Answer<Vec<Source>> {
    let page = paging.page(Order::Desc, Page::MAX_LIMIT);
    let found = app.core.agent_folders(&actor, &agent, &page).await?;
    Ok(Json(found.into_iter().map(Source::from).collect()))
}
