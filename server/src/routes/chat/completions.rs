//! Completes a chat with an agent.

use axum::{extract::State, response::Response};
use mneme_core::CoreError;
use mneme_domain::{AgentId, EntityId};

use super::{complete, request::ChatCompletionRequest};
use crate::{
    app::AppState,
    http::{ApiError, Body, Caller},
    routes::refusals::Refusals,
};

/// Has an agent answer a chat, in the form of OpenAI's API: `model` is the agent's identifier. The agent's own tools run
/// on the server, and its own memory is the history. With `stream` the answer comes in chunks.
#[utoipa::path(
    post,
    path = "/v1/chat/completions",
    operation_id = "chat.completions.create",
    tag = "chat",
    request_body = ChatCompletionRequest,
    responses((status = 200, description = "The completion, or its chunks as events.", body = serde_json::Value), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(request): Body<ChatCompletionRequest>,
) -> Result<Response, ApiError> {
    let Ok(agent) = AgentId::parse(&request.model) else {
        return Err(CoreError::Invalid(format!(
            "INVALID_ARGUMENT: For this endpoint, the 'model' field should contain an agent ID (format: 'agent-...'). \
             Received: '{}'",
            request.model.chars().take(100).collect::<String>()
        ))
        .into());
    };
    complete(&app, &actor, &agent, request).await
}
