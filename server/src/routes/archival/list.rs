//! Lists an agent's passages.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, Order, archive::Passage};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging, Query,
        page::{DEFAULT_LIMIT, PageParams},
    },
    routes::refusals::Refusals,
};

/// Which passages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Part of the text.
    search: Option<String>,
}

/// Lists the agent's passages without their vectors, oldest first.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/archival-memory",
    operation_id = "agents.passages.list",
    tag = "agents/passages",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), PageParams, Params),
    responses((status = 200, description = "The passages.", body = Vec<Passage>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Passage>> {
    let page = paging.page(Order::Asc, DEFAULT_LIMIT);
    let text = params.search.filter(|text| !text.is_empty());
    Ok(Json(app.core.list_memories(&actor, &agent, text, &page).await?))
}
