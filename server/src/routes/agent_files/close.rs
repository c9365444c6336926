//! Closes a file of an agent.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, FileId};
use serde_json::{Value, json};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Closes a file: it leaves the agent's context.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/files/{file_id}/close",
    operation_id = "agents.files.close",
    tag = "agents/files",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("file_id" = String, Path, description = "`file-<uuid4>`")
    ),
    responses((status = 200, description = "It is closed.", body = Object), Refusals)
)]
pub async fn close(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Id(file): Id<FileId>,
) -> Answer<Value> {
    app.core.close_file(&actor, &agent, &file).await?;
    Ok(Json(json!({ "message": format!("File id={file} successfully closed") })))
}
