//! Searches for agents by several things at once.

use axum::{Json, extract::State};
use mneme_core::{AgentSort, AgentTest, CoreError};
use mneme_domain::{Order, Page, agent::AgentState};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::list::SortBy;
use crate::{
    app::AppState,
    http::{Answer, ApiError, Caller, OptionalBody, Query, Wanted, include::IncludeParams, page::DEFAULT_LIMIT},
    routes::refusals::Common,
};

/// How a name is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum NameOperator {
    /// It is the whole name.
    Eq,
    /// It is a part of the name, whatever the case.
    Contains,
}

/// What an agent has to be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "field", rename_all = "camelCase")]
pub enum SearchItem {
    /// Made from this version of a template, or brought to it: `name:2`.
    Version { value: String },
    /// Of this name.
    Name { operator: NameOperator, value: String },
    /// With all these tags.
    Tags { value: Vec<String> },
    /// Of the identity of this id or key.
    Identity { value: String },
    /// Made from any version of the template of this name.
    TemplateName { value: String },
}

impl From<SearchItem> for AgentTest {
    fn from(item: SearchItem) -> Self {
        match item {
            SearchItem::Version { value } => Self::Version(value),
            SearchItem::Name { operator: NameOperator::Eq, value } => Self::Name(value),
            SearchItem::Name { operator: NameOperator::Contains, value } => Self::NamePart(value),
            SearchItem::Tags { value } => Self::Tags(value),
            SearchItem::Identity { value } => Self::Identity(value),
            SearchItem::TemplateName { value } => Self::Template(value),
        }
    }
}

/// Which agents.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct SearchAgents {
    /// All of it must hold.
    search: Vec<SearchItem>,
    /// The exact project.
    project_id: Option<String>,
    /// How many at most; clients may write it as a decimal number.
    #[schema(value_type = Option<i64>)]
    limit: Option<serde_json::Number>,
    /// The `nextCursor` of the page before.
    after: Option<String>,
    /// What the list is sorted by. Older clients write `sortBy`.
    #[serde(alias = "sortBy")]
    #[schema(inline)]
    sort_by: Option<SortBy>,
    /// The oldest first.
    ascending: Option<bool>,
}

/// What older programs say in the address.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct Params {
    /// The `nextCursor` of the page before, when the body does not say it.
    after: Option<String>,
}

/// A page of agents.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundAgents {
    agents: Vec<AgentState>,
    /// The `after` of the next page, when there is one.
    next_cursor: Option<String>,
}

/// Searches for agents.
#[utoipa::path(
    post,
    path = "/v1/agents/search",
    operation_id = "agents.search",
    tag = "agents",
    params(IncludeParams, Params),
    request_body = SearchAgents,
    responses((status = 200, description = "The agents.", body = FoundAgents), Common)
)]
pub async fn search(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Wanted(include): Wanted,
    Query(params): Query<Params>,
    OptionalBody(body): OptionalBody<SearchAgents>,
) -> Answer<FoundAgents> {
    let body = body.unwrap_or_default();
    let limit = limit(body.limit)?;
    let tests = body.search.into_iter().map(AgentTest::from).collect();
    let Some(mut filter) = app.core.agent_filter(&actor, tests).await? else {
        return Ok(Json(FoundAgents { agents: Vec::new(), next_cursor: None }));
    };
    filter.project_id = body.project_id;
    filter.sort_by = body.sort_by.map(AgentSort::from).unwrap_or_default();
    let order = if body.ascending == Some(true) { Order::Asc } else { Order::Desc };
    // One more tells whether there is a next page.
    let page = Page { before: None, after: body.after.or(params.after), limit: limit + 1, order };
    let mut agents = app.core.list_agents(&actor, filter, &page, include).await?;
    let kept = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = agents.len() > kept;
    agents.truncate(kept);
    let next_cursor = agents.last().filter(|_| more).map(|agent| agent.id.to_string());
    Ok(Json(FoundAgents { agents, next_cursor }))
}

/// How many agents a page has. `50.0` is 50.
fn limit(given: Option<serde_json::Number>) -> Result<u32, ApiError> {
    let Some(given) = given else { return Ok(DEFAULT_LIMIT) };
    let whole = given.to_string().trim_end_matches(".0").parse::<u32>();
    let refusal = |_| ApiError::Core(CoreError::field("limit", "must be a whole number that is not negative"));
    Ok(whole.map_err(refusal)?.clamp(1, Page::MAX_LIMIT - 1))
}
