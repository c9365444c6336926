//! Shows what fills an agent's context window.

use axum::{Json, extract::State};
use mneme_core::ContextWindowOverview;
use mneme_domain::AgentId;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// What fills the agent's context window, part by part, in tokens.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/context",
    operation_id = "agents.context.retrieve",
    tag = "agents",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    responses((status = 200, description = "The parts.", body = ContextWindowOverview), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
) -> Answer<ContextWindowOverview> {
    Ok(Json(app.core.context_window(&actor, &agent).await?))
}
