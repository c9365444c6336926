//! Shows what the model would be asked.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, request::SendRequest};
use serde_json::Value;

use super::turn;
use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Shows the request that the model provider would get for these messages. Nothing is sent or kept.
#[utoipa::path(
    post,
    path = "/v1/agents/{agent_id}/messages/preview-raw-payload",
    operation_id = "agents.messages.preview",
    tag = "agents/messages",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    request_body = SendRequest,
    responses((status = 200, description = "The request's body.", body = Object), Refusals)
)]
pub async fn preview(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Body(request): Body<SendRequest>,
) -> Answer<Value> {
    turn::require_input(&request)?;
    Ok(Json(app.core.preview_request(&actor, &agent, request).await?))
}
