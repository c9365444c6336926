//! Shows one message, whoever's it is.

use axum::{Json, extract::State};
use mneme_domain::{MessageId, envelope::Envelope};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Shows a message in its parts: a thought, a call and an answer that came together are one message.
#[utoipa::path(
    get,
    path = "/v1/messages/{message_id}",
    operation_id = "messages.retrieve",
    tag = "messages",
    params(("message_id" = String, Path, description = "`message-<uuid4>`")),
    responses((status = 200, description = "The message's parts.", body = Vec<Envelope>), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(message): Id<MessageId>,
) -> Answer<Vec<Envelope>> {
    Ok(Json(app.core.get_message(&actor, &message).await?))
}
