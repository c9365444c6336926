//! The older door for voice platforms.

use axum::{extract::State, response::Response};
use mneme_domain::AgentId;

use super::{complete, request::ChatCompletionRequest};
use crate::{
    app::AppState,
    http::{ApiError, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Has the agent in the path answer a chat, whatever `model` says. New programs use `/v1/chat/completions`.
#[utoipa::path(
    post,
    path = "/v1/voice-beta/{agent_id}/chat/completions",
    operation_id = "voice.create-voice-chat-completions",
    tag = "voice",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    request_body = ChatCompletionRequest,
    responses((status = 200, description = "The completion, or its chunks as events.", body = serde_json::Value), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Body(request): Body<ChatCompletionRequest>,
) -> Result<Response, ApiError> {
    complete(&app, &actor, &agent, request).await
}
