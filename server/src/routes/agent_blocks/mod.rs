//! The blocks of an agent.

mod attach;
mod detach;
mod list;
mod modify;
mod retrieve;

use mneme_domain::{
    Actor, AgentId,
    agent::{AgentState, Include},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::AppState,
    http::{ApiError, Client},
};

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(retrieve::retrieve, modify::modify))
        .routes(routes!(attach::attach))
        .routes(routes!(detach::detach))
}

/// What attaching and detaching answer: nothing to clients of the 1.x generation, the whole agent to others.
pub(super) async fn agent_after(
    app: &AppState,
    actor: &Actor,
    agent: &AgentId,
    client: Client,
) -> Result<Option<AgentState>, ApiError> {
    match client {
        Client::Current => Ok(None),
        Client::Classic => Ok(Some(app.core.get_agent(actor, agent, Include::ALL).await?)),
    }
}
