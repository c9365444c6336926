//! Creates an agent.

use axum::{Json, extract::State, http::HeaderMap};
use mneme_domain::agent::{AgentState, CreateAgent};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Client},
    routes::refusals::Common,
};

/// The header in which client libraries name the project, by its slug or its id.
const PROJECT: &str = "x-project";

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
    headers: HeaderMap,
    Body(mut body): Body<CreateAgent>,
) -> Answer<AgentState> {
    let project = app.core.project(&actor);
    let header = headers.get(PROJECT).and_then(|value| value.to_str().ok());
    let named = header.or(body.project.as_deref()).is_some_and(|name| project.is_named(name));
    if named && body.project_id.is_none() {
        body.project_id = Some(project.id);
    }
    Ok(Json(app.core.create_agent(&actor, body, client.default_agent_type()).await?))
}
