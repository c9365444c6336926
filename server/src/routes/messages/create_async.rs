//! Sends messages to an agent and does not wait.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, request::SendRequest, run::Run};

use super::turn;
use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Sends messages to the agent and answers at once with the run, which goes on without the client. Its state is read
/// with the runs routes; with a `callback_url`, that address is told when the run is over.
#[utoipa::path(
    post,
    path = "/v1/agents/{agent_id}/messages/async",
    operation_id = "agents.messages.create-async",
    tag = "agents/messages",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    request_body = SendRequest,
    responses((status = 200, description = "The run.", body = Run), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Body(request): Body<SendRequest>,
) -> Answer<Run> {
    turn::require_input(&request)?;
    Ok(Json(app.core.send_async(&actor, &agent, request).await?))
}
