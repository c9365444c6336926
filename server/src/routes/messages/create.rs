//! Sends messages to an agent and waits for the end of its turn.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use mneme_domain::{AgentId, request::SendRequest};
use serde_json::json;

use super::turn::{self, Turn};
use crate::{
    app::AppState,
    http::{ApiError, Body, Caller, Id, client_token::Limits, sse},
    routes::refusals::Refusals,
};

/// Sends messages to the agent and answers with what it said and did. With `streaming` the answer is a stream.
#[utoipa::path(
    post,
    path = "/v1/agents/{agent_id}/messages",
    operation_id = "agents.messages.create",
    tag = "agents/messages",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    request_body = SendRequest,
    responses((status = 200, description = "The turn.", body = Turn), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    limits: Limits,
    Id(agent): Id<AgentId>,
    Body(request): Body<SendRequest>,
) -> Result<Response, ApiError> {
    turn::require_input(&request)?;
    limits.check_send(&request)?;
    if request.streaming == Some(true) {
        return turn::stream(&app, &actor, &agent, request).await;
    }
    let turn = app.core.send(&actor, &agent, request).await?;
    let mut body = json!({
        "messages": turn.messages,
        "stop_reason": sse::stop(turn.stop_reason),
        "usage": sse::usage(turn.usage),
    });
    if let Some(logprobs) = turn.logprobs {
        body["logprobs"] = logprobs;
    }
    Ok(Json(body).into_response())
}
