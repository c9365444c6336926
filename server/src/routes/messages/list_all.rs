//! Lists the messages of all agents, as newer clients ask for them.

use axum::{Json, extract::State};
use mneme_domain::{
    Order,
    envelope::{self, Envelope, MessageType},
    run::RequestConfig,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{elsewhere, list::DEFAULT_LIMIT};
use crate::{
    app::AppState,
    http::{Answer, Caller, Paging, Query, page::PageParams},
    routes::refusals::Common,
};

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Only messages of these kinds.
    #[serde(default, deserialize_with = "envelope::wanted")]
    #[param(inline)]
    include_return_message_types: Option<Vec<MessageType>>,
    /// Conversations beside an agent's own are not kept by this server; with one nothing is found.
    conversation_id: Option<String>,
}

/// Lists the messages of all the organisation's agents, newest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/v1/messages",
    operation_id = "messages.list",
    tag = "messages",
    params(PageParams, Params),
    responses((status = 200, description = "The messages.", body = Vec<Envelope>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Envelope>> {
    if elsewhere(params.conversation_id.as_deref()) {
        return Ok(Json(Vec::new()));
    }
    let kinds = params.include_return_message_types;
    let config = RequestConfig { include_return_message_types: kinds, ..RequestConfig::default() };
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.list_all_messages(&actor, &page, &config).await?))
}
