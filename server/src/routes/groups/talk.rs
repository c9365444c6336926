//! Sends messages to a group.

use std::future::ready;

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use mneme_core::TurnEvent;
use mneme_domain::{GroupId, request::SendRequest};
use serde_json::json;

use crate::{
    app::AppState,
    http::{
        ApiError, Body, Caller, Client, Id,
        sse::{self, Manner},
    },
    routes::{
        messages::turn::{self, Turn},
        refusals::Refusals,
    },
};

/// Sends messages to the group and answers with what its agents said and did.
#[utoipa::path(
    post,
    path = "/v1/groups/{group_id}/messages",
    operation_id = "groups.messages.create",
    tag = "groups",
    params(("group_id" = String, Path, description = "`group-<uuid4>`")),
    request_body = SendRequest,
    responses((status = 200, description = "The group's answer.", body = Turn), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(group): Id<GroupId>,
    Body(request): Body<SendRequest>,
) -> Result<Response, ApiError> {
    turn::require_input(&request)?;
    let turn = app.core.send_to_group(&actor, &group, request).await?;
    let body = json!({
        "messages": turn.messages,
        "stop_reason": sse::stop(turn.stop_reason),
        "usage": sse::usage(turn.usage),
    });
    Ok(Json(body).into_response())
}

/// Sends messages to the group and streams what its agents say and do as server-sent events.
#[utoipa::path(
    post,
    path = "/v1/groups/{group_id}/messages/stream",
    operation_id = "groups.messages.create-stream",
    tag = "groups",
    params(("group_id" = String, Path, description = "`group-<uuid4>`")),
    request_body = SendRequest,
    responses((status = 200, description = "The events.", content_type = "text/event-stream", body = String), Refusals)
)]
pub async fn stream(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(group): Id<GroupId>,
    headers: HeaderMap,
    Body(request): Body<SendRequest>,
) -> Result<Response, ApiError> {
    turn::require_input(&request)?;
    // The 0.x library for TypeScript knows this event in streams of agents, and breaks off at it in those of groups.
    let untold = Client::is_strict(&headers);
    let ping = (request.include_pings == Some(true)).then_some(app.ping);
    let events = app.core.stream_to_group(&actor, &group, request).await?;
    let events = events.filter(move |event| ready(!(untold && matches!(event, TurnEvent::Stop(_)))));
    Ok(sse::respond(events, Manner { ping, patience: app.ping, run_id: None }).await)
}
