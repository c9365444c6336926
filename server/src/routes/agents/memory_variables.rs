//! Shows the variables that an agent's memory was made with.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, JsonObject};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// The variables by name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MemoryVariables)]
pub struct Variables {
    #[schema(value_type = Object)]
    variables: JsonObject,
}

/// The variables that were put into the agent's blocks when it was created.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/core-memory/variables",
    operation_id = "agents.memoryVariables.list",
    tag = "agents",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    responses((status = 200, description = "The variables.", body = Variables), Refusals)
)]
pub async fn list(State(app): State<AppState>, Caller(actor): Caller, Id(agent): Id<AgentId>) -> Answer<Variables> {
    Ok(Json(Variables { variables: app.core.memory_variables(&actor, &agent).await? }))
}
