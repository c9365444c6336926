//! Lists runs that are not over.

use axum::{Json, extract::State};
use mneme_core::RunFilter;
use mneme_domain::{AgentId, Order, Page, run::Run};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{Answer, Caller, Query, path::parse_query, query},
    routes::refusals::Common,
};

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The agent whose runs they are.
    agent_id: Option<String>,
    /// Only runs that go on without their client, or only others.
    #[serde(default, deserialize_with = "query::flag")]
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
) -> Answer<Vec<Run>> {
    let agent = params.agent_id.iter().map(|id| parse_query::<AgentId>("agent_id", id));
    let filter = RunFilter {
        agent_ids: agent.collect::<Result<_, _>>()?,
        background: params.background,
        active: true,
        ..RunFilter::default()
    };
    let page = Page { order: Order::Desc, ..Page::all() };
    Ok(Json(app.core.list_runs(&actor, filter, &page).await?))
}
