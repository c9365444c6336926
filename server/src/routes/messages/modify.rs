//! Changes what was said.

use axum::{Json, extract::State};
use mneme_domain::{
    AgentId, MessageId,
    envelope::Envelope,
    request::{MessageEdit, MessageUpdate},
};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Replaces the text of a message; the model sees the new one from then on.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/messages/{message_id}",
    operation_id = "agents.messages.modify",
    tag = "agents/messages",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("message_id" = String, Path, description = "`message-<uuid4>`")
    ),
    request_body = MessageUpdate,
    responses((status = 200, description = "The message after the change.", body = Envelope), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Id(message): Id<MessageId>,
    Body(body): Body<MessageEdit>,
) -> Answer<Envelope> {
    Ok(Json(app.core.update_message(&actor, &agent, &message, body).await?))
}
