//! Deletes an agent.

use axum::{Json, extract::State};
use mneme_domain::AgentId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// That the agent is gone.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deleted {
    message: String,
}

/// Deletes an agent with its messages. Its blocks and tools stay.
#[utoipa::path(
    delete,
    path = "/v1/agents/{agent_id}",
    operation_id = "agents.delete",
    tag = "agents",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    responses((status = 200, description = "It is gone.", body = Deleted), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, Id(agent): Id<AgentId>) -> Answer<Deleted> {
    app.core.delete_agent(&actor, &agent).await?;
    Ok(Json(Deleted { message: format!("Agent id={agent} successfully deleted") }))
}
