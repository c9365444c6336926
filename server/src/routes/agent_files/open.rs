//! Opens a file for an agent.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, FileId};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Opens a file: it is in the agent's context from the next message on. Answers the names of the files that were closed
/// to make room.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/files/{file_id}/open",
    operation_id = "agents.files.open",
    tag = "agents/files",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("file_id" = String, Path, description = "`file-<uuid4>`")
    ),
    responses((status = 200, description = "What was closed.", body = Vec<String>), Refusals)
)]
pub async fn open(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Id(file): Id<FileId>,
) -> Answer<Vec<String>> {
    Ok(Json(app.core.open_file(&actor, &agent, &file).await?))
}
