//! Ends an agent's runs.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use mneme_domain::{AgentId, RunId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, OptionalBody},
    routes::refusals::Refusals,
};

/// Which runs to end.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Cancel {
    /// These; all that are under way when left out.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    run_ids: Option<Vec<RunId>>,
}

/// Ends runs of the agent: the model's stream is closed and what it said in the step under way is dropped.
#[utoipa::path(
    post,
    path = "/v1/agents/{agent_id}/messages/cancel",
    operation_id = "agents.messages.cancel",
    tag = "agents/messages",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    request_body = Option<Cancel>,
    responses((status = 200, description = "What became of each run.", body = BTreeMap<String, String>), Refusals)
)]
pub async fn cancel(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    OptionalBody(body): OptionalBody<Cancel>,
) -> Answer<BTreeMap<String, String>> {
    let named = body.unwrap_or_default().run_ids;
    let outcome = app.core.cancel_runs(&actor, &agent, named).await?;
    Ok(Json(outcome.into_iter().map(|(run, what)| (run.to_string(), what.to_owned())).collect()))
}
