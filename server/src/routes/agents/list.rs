//! Lists agents.

use axum::{Json, extract::State};
use mneme_core::AgentFilter;
use mneme_domain::{Order, agent::AgentState, run::StopReason};
use mneme_store::agents::AgentSort;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Paging, Query, Wanted,
        include::IncludeParams,
        page::{DEFAULT_LIMIT, PageParams},
        query,
    },
    routes::refusals::Common,
};

/// Which agents.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The exact name.
    name: Option<String>,
    /// Tags, of which an agent has any.
    #[serde(default)]
    #[param(required = false)]
    tags: Vec<String>,
    /// Ask for agents that have all the tags.
    #[serde(default, deserialize_with = "query::flag")]
    match_all_tags: Option<bool>,
    /// Part of the name, whatever its case.
    query_text: Option<String>,
    /// The exact project.
    project_id: Option<String>,
    /// The exact template.
    template_id: Option<String>,
    /// The exact base template.
    base_template_id: Option<String>,
    /// An identity that the agents belong to.
    identity_id: Option<String>,
    /// Keys of such identities.
    #[serde(default)]
    #[param(required = false)]
    identifier_keys: Vec<String>,
    /// Why their last run ended, such as `requires_approval`. Reasons that this server does not have find no agent.
    last_stop_reason: Option<String>,
    #[param(ignore)]
    order_by: Option<SortBy>,
    /// What the list is sorted by, in the words of older clients.
    #[param(inline)]
    sort_by: Option<SortBy>,
}

/// What a list of agents is sorted by.
#[derive(Debug, Clone, Copy, serde::Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    CreatedAt,
    UpdatedAt,
    LastRunCompletion,
}

impl From<SortBy> for AgentSort {
    fn from(by: SortBy) -> Self {
        match by {
            SortBy::LastRunCompletion => Self::LastRunCompletion,
            SortBy::UpdatedAt => Self::UpdatedAt,
            SortBy::CreatedAt => Self::CreatedAt,
        }
    }
}

impl Params {
    fn filter(self) -> AgentFilter {
        let sort_by = self.order_by.or(self.sort_by).map(AgentSort::from).unwrap_or_default();
        AgentFilter {
            name: self.name,
            query_text: self.query_text,
            tags: self.tags,
            match_all_tags: self.match_all_tags.unwrap_or(false),
            project_id: self.project_id,
            template_id: self.template_id,
            base_template_id: self.base_template_id,
            identity_id: self.identity_id,
            identifier_keys: self.identifier_keys,
            ids: None,
            sort_by,
            include_hidden: false,
        }
    }
}

/// Lists agents, newest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/v1/agents",
    operation_id = "agents.list",
    tag = "agents",
    params(PageParams, Params, IncludeParams),
    responses((status = 200, description = "The agents.", body = Vec<AgentState>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
    Wanted(include): Wanted,
) -> Answer<Vec<AgentState>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    let stopped = params.last_stop_reason.clone().filter(|name| !name.is_empty());
    let mut filter = params.filter();
    if let Some(name) = stopped {
        filter.ids = Some(match StopReason::from_name(&name) {
            Some(reason) => app.core.agents_stopped(&actor, reason).await?,
            None => Vec::new(),
        });
    }
    Ok(Json(app.core.list_agents(&actor, filter, &page, include).await?))
}
