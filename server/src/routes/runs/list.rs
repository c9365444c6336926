//! Lists runs.

use axum::{Json, extract::State};
use mneme_core::RunFilter;
use mneme_domain::{
    AgentId, Order,
    run::{Run, RunStatus, StopReason},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{Answer, Caller, Paging, Query, page::PageParams, path::parse_query, problem::Problem, query},
    routes::{messages::elsewhere, refusals::Common},
};

/// Runs of a page unless the client says otherwise.
const DEFAULT_LIMIT: u32 = 100;

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
    /// Any of these states.
    #[serde(default)]
    #[param(required = false, inline)]
    statuses: Vec<RunStatus>,
    /// Only runs that go on without their client, or only others.
    #[serde(default, deserialize_with = "query::flag")]
    background: Option<bool>,
    /// Why they ended.
    #[param(inline)]
    stop_reason: Option<StopReason>,
    /// Only runs that are not over.
    #[serde(default, deserialize_with = "query::flag")]
    active: Option<bool>,
    /// `default` means agents' own conversations. Others are not kept by this server; with one nothing is found.
    conversation_id: Option<String>,
}

impl Params {
    fn filter(self) -> Result<RunFilter, Problem> {
        let one = self.agent_id.iter().map(|id| ("agent_id", id));
        let more = self.agent_ids.iter().map(|id| ("agent_ids", id));
        let agents = one.chain(more).map(|(key, id)| parse_query::<AgentId>(key, id));
        Ok(RunFilter {
            agent_ids: agents.collect::<Result<_, _>>()?,
            statuses: self.statuses,
            background: self.background,
            stop_reason: self.stop_reason,
            active: self.active.unwrap_or(false),
        })
    }
}

/// Lists runs, newest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/v1/runs",
    operation_id = "runs.list",
    tag = "runs",
    params(PageParams, Params),
    responses((status = 200, description = "The runs.", body = Vec<Run>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Run>> {
    if elsewhere(params.conversation_id.as_deref()) {
        return Ok(Json(Vec::new()));
    }
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.list_runs(&actor, params.filter()?, &page).await?))
}
