//! Lists the groups of an agent.

use axum::{Json, extract::State};
use mneme_domain::{
    AgentId, Order,
    group::{Group, ManagerType},
};
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

/// Which groups.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// How they work.
    #[param(inline)]
    manager_type: Option<ManagerType>,
}

/// Lists the groups that the agent speaks in or manages.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/groups",
    operation_id = "agents.groups.list",
    tag = "agents/groups",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), PageParams, Params),
    responses((status = 200, description = "The groups.", body = Vec<Group>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Group>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.agent_groups(&actor, &agent, params.manager_type, &page).await?))
}
