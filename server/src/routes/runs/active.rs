//! Lists runs that are not over.

use axum::{Json, extract::State};
use mneme_core::RunFilter;
use mneme_domain::{AgentId, Order, Page, run::Run};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{Answer, Caller, GetBody, Query, path::parse_query, query},
    routes::refusals::Common,
};

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The agent whose runs they are.
    agent_id: Option<String>,
    /// Agents whose runs they are.
    #[serde(default)]
    #[param(required = false)]
    agent_ids: Vec<String>,
    /// Only runs that go on without their client, or only others.
    #[serde(default, deserialize_with = "query::flag")]
    background: Option<bool>,
}

/// The same in a body, where guides for `curl` have it.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    agent_id: Option<String>,
    #[serde(default)]
    agent_ids: Option<Vec<String>>,
    #[serde(default)]
    background: Option<bool>,
}

/// Lists runs that are not over, newest first.
#[utoipa::path(
    get,
    path = "/v1/runs/active",
    operation_id = "runs.list-active",
    tag = "runs",
    params(Params),
    responses((status = 200, description = "The runs.", body = Vec<Run>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Query(params): Query<Params>,
    GetBody(body): GetBody<Asked>,
) -> Answer<Vec<Run>> {
    let asked = body.unwrap_or_default();
    let one = params.agent_id.iter().chain(&asked.agent_id).map(|id| ("agent_id", id));
    let more = params.agent_ids.iter().chain(asked.agent_ids.iter().flatten()).map(|id| ("agent_ids", id));
    let agents = one.chain(more).map(|(key, id)| parse_query::<AgentId>(key, id));
    let filter = RunFilter {
        agent_ids: agents.collect::<Result<_, _>>()?,
        background: params.background.or(asked.background),
        active: true,
        ..RunFilter::default()
    };
    let page = Page { order: Order::Desc, ..Page::all() };
    Ok(Json(app.core.list_runs(&actor, filter, &page).await?))
}
