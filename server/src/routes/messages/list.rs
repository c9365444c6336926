//! Lists an agent's messages.

use axum::{Json, extract::State};
use mneme_domain::{
    AgentId, Order,
    envelope::{self, Envelope, MessageType},
    run::RequestConfig,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::elsewhere;
use crate::{
    app::AppState,
    http::{Answer, Caller, Client, Id, Paging, Query, page::PageParams, query},
    routes::refusals::Refusals,
};

/// Messages of a page unless the client says otherwise: the most recent conversation in one answer.
pub const DEFAULT_LIMIT: u32 = 100;

/// Which messages, and how they are shown.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Only messages of this group.
    group_id: Option<String>,
    /// Show a call of the answering tool as an assistant message (the default).
    #[serde(default, deserialize_with = "query::flag")]
    use_assistant_message: Option<bool>,
    /// The answering tool.
    assistant_message_tool_name: Option<String>,
    /// Its argument that holds the answer.
    assistant_message_tool_kwarg: Option<String>,
    /// Also show messages of failed steps.
    #[serde(default, deserialize_with = "query::flag")]
    include_err: Option<bool>,
    /// Only messages of these kinds.
    #[serde(default, deserialize_with = "envelope::wanted")]
    #[param(inline)]
    include_return_message_types: Option<Vec<MessageType>>,
    /// `default` means the agent's own conversation. Others are not kept by this server; with one nothing is found.
    conversation_id: Option<String>,
}

impl Params {
    /// How messages are shown.
    pub fn config(&mut self) -> RequestConfig {
        let usual = RequestConfig::default();
        RequestConfig {
            use_assistant_message: self.use_assistant_message.unwrap_or(usual.use_assistant_message),
            assistant_message_tool_name: self
                .assistant_message_tool_name
                .take()
                .unwrap_or(usual.assistant_message_tool_name),
            assistant_message_tool_kwarg: self
                .assistant_message_tool_kwarg
                .take()
                .unwrap_or(usual.assistant_message_tool_kwarg),
            include_return_message_types: self.include_return_message_types.take(),
            include_compaction_messages: false,
        }
    }
}

/// Lists the agent's messages, newest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/messages",
    operation_id = "agents.messages.list",
    tag = "agents/messages",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), PageParams, Params),
    responses((status = 200, description = "The messages.", body = Vec<Envelope>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(agent): Id<AgentId>,
    paging: Paging,
    Query(mut params): Query<Params>,
) -> Answer<Vec<Envelope>> {
    if elsewhere(params.conversation_id.as_deref()) {
        return Ok(Json(Vec::new()));
    }
    let page = paging.page_by_time(client, Order::Desc, DEFAULT_LIMIT);
    let (config, include_err) = (params.config(), params.include_err.unwrap_or(false));
    let group = params.group_id.as_deref();
    Ok(Json(app.core.list_messages(&actor, &agent, &page, &config, group, include_err).await?))
}
