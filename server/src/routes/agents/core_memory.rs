//! Shows an agent's memory.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, agent::Memory};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// The blocks and open files in the agent's context window.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/core-memory",
    operation_id = "agents.coreMemory.retrieve",
    tag = "agents",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    responses((status = 200, description = "The memory.", body = Memory), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, Id(agent): Id<AgentId>) -> Answer<Memory> {
    Ok(Json(app.core.core_memory(&actor, &agent).await?))
}
