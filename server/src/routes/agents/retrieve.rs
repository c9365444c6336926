//! Reads an agent.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, agent::AgentState};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, Wanted, client_token::Limits, include::IncludeParams},
    routes::refusals::Refusals,
};

/// Reads an agent.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}",
    operation_id = "agents.retrieve",
    tag = "agents",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), IncludeParams),
    responses((status = 200, description = "The agent.", body = AgentState), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    limits: Limits,
    Id(agent): Id<AgentId>,
    Wanted(include): Wanted,
) -> Answer<AgentState> {
    Ok(Json(limits.shown(app.core.get_agent(&actor, &agent, include).await?)))
}
