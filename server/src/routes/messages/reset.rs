//! Makes an agent forget its conversation.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, agent::AgentState};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, OptionalBody},
    routes::refusals::Refusals,
};

/// How to begin again.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct Reset {
    /// Begin with the messages that a new agent begins with.
    #[serde(default)]
    add_default_initial_messages: bool,
}

/// Deletes all messages of the agent but the system message.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/reset-messages",
    operation_id = "agents.messages.reset",
    tag = "agents/messages",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    request_body = Option<Reset>,
    responses((status = 200, description = "The agent.", body = AgentState), Refusals)
)]
pub async fn reset(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    OptionalBody(body): OptionalBody<Reset>,
) -> Answer<AgentState> {
    // Clients that have nothing to say about it send no body.
    let anew = body.unwrap_or_default().add_default_initial_messages;
    Ok(Json(app.core.reset_messages(&actor, &agent, anew).await?))
}
