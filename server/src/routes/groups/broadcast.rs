//! Tells several agents something. An addition to the API: the built-in tools with which agents talk use it.

use axum::{Json, extract::State};
use mneme_core::{Broadcast, BroadcastReply};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Refusals,
};

/// Sends a message to several agents, which work at the same time, and answers with what each of them says.
#[utoipa::path(
    post,
    path = "/v1/agents/messages/broadcast",
    operation_id = "agents.messages.broadcast",
    tag = "agents/messages",
    request_body = Broadcast,
    responses((status = 200, description = "What each agent says, in the order of the request.", body = Vec<BroadcastReply>), Refusals)
)]
pub async fn broadcast(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<Broadcast>,
) -> Answer<Vec<BroadcastReply>> {
    Ok(Json(app.core.broadcast(&actor, body).await?))
}
