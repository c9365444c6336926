//! Lists the agents that have an archive.

use axum::{Json, extract::State};
use mneme_domain::{ArchiveId, Order, agent::AgentState};

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging, Wanted,
        include::IncludeParams,
        page::{DEFAULT_LIMIT, PageParams},
    },
    routes::refusals::Refusals,
};

/// Lists the agents that have the archive.
#[utoipa::path(
    get,
    path = "/v1/archives/{archive_id}/agents",
    operation_id = "archives.list-agents-for-archive",
    tag = "archives",
    params(("archive_id" = String, Path, description = "`archive-<uuid4>`"), PageParams, IncludeParams),
    responses((status = 200, description = "The agents.", body = Vec<AgentState>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(archive): Id<ArchiveId>,
    paging: Paging,
    Wanted(include): Wanted,
) -> Answer<Vec<AgentState>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.archive_agents(&actor, &archive, &page, include).await?))
}
