//! What was said in a group: listed, edited, forgotten.

use axum::{Json, extract::State};
use mneme_domain::{
    GroupId, MessageId, Order,
    envelope::Envelope,
    request::{MessageEdit, MessageUpdate},
};
use serde_json::Value;

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Client, Id, OptionalBody, Paging, Query, page::PageParams},
    routes::{
        messages::list::{DEFAULT_LIMIT, Params},
        refusals::Refusals,
    },
};

/// Lists what was said in the group, newest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/v1/groups/{group_id}/messages",
    operation_id = "groups.messages.list",
    tag = "groups",
    params(("group_id" = String, Path, description = "`group-<uuid4>`"), PageParams),
    responses((status = 200, description = "The messages.", body = Vec<Envelope>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(group): Id<GroupId>,
    paging: Paging,
    Query(mut params): Query<Params>,
) -> Answer<Vec<Envelope>> {
    let page = paging.page_by_time(client, Order::Desc, DEFAULT_LIMIT);
    let config = params.config();
    Ok(Json(app.core.list_group_messages(&actor, &group, &page, &config).await?))
}

/// Replaces the text of a message; its agent sees the new one from then on.
#[utoipa::path(
    patch,
    path = "/v1/groups/{group_id}/messages/{message_id}",
    operation_id = "groups.messages.modify",
    tag = "groups",
    params(
        ("group_id" = String, Path, description = "`group-<uuid4>`"),
        ("message_id" = String, Path, description = "`message-<uuid4>`")
    ),
    request_body = MessageUpdate,
    responses((status = 200, description = "The message after the change.", body = Envelope), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(group): Id<GroupId>,
    Id(message): Id<MessageId>,
    Body(body): Body<MessageEdit>,
) -> Answer<Envelope> {
    Ok(Json(app.core.update_group_message(&actor, &group, &message, body).await?))
}

/// Has the group and its agents forget what was said in it.
#[utoipa::path(
    patch,
    path = "/v1/groups/{group_id}/reset-messages",
    operation_id = "groups.messages.reset",
    tag = "groups",
    params(("group_id" = String, Path, description = "`group-<uuid4>`")),
    responses((status = 200, description = "It is forgotten."), Refusals)
)]
pub async fn reset(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(group): Id<GroupId>,
    OptionalBody(_): OptionalBody<Value>,
) -> Answer<Value> {
    app.core.reset_group(&actor, &group).await?;
    Ok(Json(Value::Null))
}
