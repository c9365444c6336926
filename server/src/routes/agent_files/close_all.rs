//! Closes all files of an agent.

use axum::{Json, extract::State};
use mneme_domain::AgentId;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Closes all files of the agent; answers the names of those that were open.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/files/close-all",
    operation_id = "agents.files.close-all",
    tag = "agents/files",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    responses((status = 200, description = "What was closed.", body = Vec<String>), Refusals)
)]
pub async fn close_all(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
) -> Answer<Vec<String>> {
    Ok(Json(app.core.close_all_files(&actor, &agent).await?))
}
