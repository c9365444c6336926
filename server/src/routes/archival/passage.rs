//! One passage of an agent: read, changed, deleted.

use axum::{Json, extract::State};
use mneme_domain::{
    AgentId,
    archive::{Passage, PassageUpdate},
};
use serde_json::{Value, json};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, OptionalBody, path::MemoryId},
    routes::refusals::Refusals,
};

/// Reads one of the agent's passages, with its vector.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/archival-memory/{memory_id}",
    operation_id = "agents.passages.retrieve",
    tag = "agents/passages",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("memory_id" = String, Path, description = "`passage-<uuid4>`")
    ),
    responses((status = 200, description = "The passage.", body = Passage), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    MemoryId(passage): MemoryId,
) -> Answer<Passage> {
    Ok(Json(app.core.get_memory(&actor, &agent, &passage).await?))
}

/// Changes what the body names of one of the agent's passages.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/archival-memory/{memory_id}",
    operation_id = "agents.passages.modify",
    tag = "agents/passages",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("memory_id" = String, Path, description = "`passage-<uuid4>`")
    ),
    request_body = Option<PassageUpdate>,
    responses((status = 200, description = "The passage after the change.", body = Passage), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    MemoryId(passage): MemoryId,
    OptionalBody(body): OptionalBody<PassageUpdate>,
) -> Answer<Passage> {
    // The 0.x libraries have no arguments for the body.
    Ok(Json(app.core.update_memory(&actor, &agent, &passage, body.unwrap_or_default()).await?))
}

/// Deletes one of the agent's passages, for every agent that shares its archive.
#[utoipa::path(
    delete,
    path = "/v1/agents/{agent_id}/archival-memory/{memory_id}",
    operation_id = "agents.passages.delete",
    tag = "agents/passages",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("memory_id" = String, Path, description = "`passage-<uuid4>`")
    ),
    responses((status = 200, description = "It is gone; says so with its id."), Refusals)
)]
pub async fn delete(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    MemoryId(passage): MemoryId,
) -> Answer<Value> {
    app.core.delete_memory(&actor, &agent, &passage).await?;
    Ok(Json(json!({ "message": format!("Memory id={passage} successfully deleted") })))
}
