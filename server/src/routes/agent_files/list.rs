//! Lists the files of an agent.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, Order, folder::AgentFiles};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging, Query,
        page::{DEFAULT_LIMIT, PageParams},
        query::flag,
    },
    routes::refusals::Refusals,
};

/// Which files.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Only open files, or only closed ones.
    #[serde(default, deserialize_with = "flag")]
    is_open: Option<bool>,
    /// Where the page begins, in the words of older clients.
    cursor: Option<String>,
}

/// Clients that walk the list give the `id` of its last entry; the list itself goes by files.
fn file_cursor(cursor: String) -> String {
    match cursor.strip_prefix("file_agent-") {
        Some(uuid) => format!("file-{uuid}"),
        None => cursor,
    }
}

/// Lists the files in the agent's folders, newest first.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/files",
    operation_id = "agents.files.list",
    tag = "agents/files",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), PageParams, Params),
    responses((status = 200, description = "The files.", body = AgentFiles), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<AgentFiles> {
    let mut page = paging.page(Order::Desc, DEFAULT_LIMIT);
    page.after = page.after.or(params.cursor.filter(|cursor| !cursor.is_empty())).map(file_cursor);
    page.before = page.before.map(file_cursor);
    Ok(Json(app.core.agent_files(&actor, &agent, params.is_open, &page).await?))
}
