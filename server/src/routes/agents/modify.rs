//! Changes an agent.

use axum::{Json, extract::State};
use mneme_domain::{
    AgentId,
    agent::{AgentState, UpdateAgent},
};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id, client_token::Limits},
    routes::refusals::Refusals,
};

/// Changes what the body names and keeps the rest.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}",
    operation_id = "agents.modify",
    tag = "agents",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    request_body = UpdateAgent,
    responses((status = 200, description = "The agent after the change.", body = AgentState), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    limits: Limits,
    Id(agent): Id<AgentId>,
    Body(body): Body<UpdateAgent>,
) -> Answer<AgentState> {
    limits.check(&body)?;
    Ok(Json(limits.shown(app.core.update_agent(&actor, &agent, body).await?)))
}
