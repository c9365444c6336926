//! Sums up an agent's older messages.

use axum::{extract::State, http::StatusCode};
use mneme_domain::AgentId;

use crate::{
    app::AppState,
    http::{ApiError, Caller, Id},
    routes::refusals::Refusals,
};

/// Takes older messages out of the agent's context and puts a summary in their place. They stay in its history.
#[utoipa::path(
    post,
    path = "/v1/agents/{agent_id}/summarize",
    operation_id = "agents.messages.summarize",
    tag = "agents/messages",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`")),
    responses((status = 204, description = "Done."), Refusals)
)]
pub async fn summarize(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
) -> Result<StatusCode, ApiError> {
    app.core.summarize_messages(&actor, &agent).await?;
    Ok(StatusCode::NO_CONTENT)
}
