//! Creates an agent.

use axum::{Json, extract::State};
use mneme_domain::agent::{AgentState, CreateAgent};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Client},
    routes::refusals::Common,
};

/// Creates an agent with its memory blocks and tools.
#[utoipa::path(
    post,
    path = "/v1/agents",
    operation_id = "agents.create",
    tag = "agents",
    request_body = CreateAgent,
    responses((status = 200, description = "The agent.", body = AgentState), Common)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Body(body): Body<CreateAgent>,
) -> Answer<AgentState> {
    Ok(Json(app.core.create_agent(&actor, body, client.default_agent_type()).await?))
}
