//! Sends messages to an agent and streams its turn.

use axum::{extract::State, response::Response};
use mneme_domain::{AgentId, request::SendRequest};

use super::turn;
use crate::{
    app::AppState,
    http::{ApiError, Body, Caller, Id, client_token::Limits},
    routes::refusals::Refusals,
};

/// Sends messages to the agent and streams what it says and does as server-sent events: messages (or, with
/// `stream_tokens`, pieces of them), then the stop reason, the usage and `[DONE]`.
#[utoipa::path(
    post,
    path = "/v1/agents/{agent_id}/messages/stream",
    operation_id = "agents.messages.create-stream",
    tag = "agents/messages",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    request_body = SendRequest,
    responses((status = 200, description = "The events.", content_type = "text/event-stream", body = String), Refusals)
)]
pub async fn stream(
    State(app): State<AppState>,
    Caller(actor): Caller,
    limits: Limits,
    Id(agent): Id<AgentId>,
    Body(request): Body<SendRequest>,
) -> Result<Response, ApiError> {
    turn::require_input(&request)?;
    limits.check_send(&request)?;
    turn::stream(&app, &actor, &agent, request).await
}
