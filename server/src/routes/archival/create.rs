//! Puts a text into an agent's archival memory.

use axum::{Json, extract::State};
use mneme_domain::{
    AgentId,
    archive::{CreatePassage, Passage},
};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Puts a text into the agent's first archive, which is made when there is none.
#[utoipa::path(
    post,
    path = "/v1/agents/{agent_id}/archival-memory",
    operation_id = "agents.passages.create",
    tag = "agents/passages",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    request_body = CreatePassage,
    responses((status = 200, description = "The passage, in a list.", body = Vec<Passage>), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Body(body): Body<CreatePassage>,
) -> Answer<Vec<Passage>> {
    Ok(Json(app.core.create_memory(&actor, &agent, body).await?))
}
