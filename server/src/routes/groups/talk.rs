//! Sends messages to a group.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use mneme_domain::{GroupId, request::SendRequest};
use serde_json::json;

use crate::{
    app::AppState,
    http::{
        ApiError, Body, Caller, Id,
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
    Body(request): Body<SendRequest>,
) -> Result<Response, ApiError> {
    turn::require_input(&request)?;
    let ping = (request.include_pings == Some(true)).then_some(app.ping);
    let events = app.core.stream_to_group(&actor, &group, request).await?;
    Ok(sse::respond(events, Manner { ping, patience: app.ping, run_id: None }).await)
}
