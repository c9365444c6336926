//! Searches messages as newer clients ask for it: each part of a message by itself, with the agent that it is of.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use mneme_core::{FoundMessage, MemoryBounds, MessageSearch, SearchMode, envelope::envelopes};
use mneme_domain::{AgentId, envelope::MessageType, message::MessageRole, run::RequestConfig};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{elsewhere, search::MOST};
use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Refusals,
};

/// What to look for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SearchAll {
    /// A question or keywords; an empty text finds the newest messages.
    query: String,
    /// By meaning (`vector`), by words (`fts`), or by both (`hybrid`).
    #[serde(default)]
    #[schema(default = "hybrid")]
    search_mode: Option<SearchMode>,
    /// Only of this agent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    agent_id: Option<AgentId>,
    /// Conversations beside an agent's own are not kept by this server; with one nothing is found.
    #[serde(default)]
    conversation_id: Option<String>,
    /// At most this many, 1 to 100; 50 when left out.
    #[serde(default)]
    limit: Option<u32>,
    /// Made then or later; without an offset, in UTC.
    #[serde(default)]
    start_date: Option<String>,
    /// Made then or earlier; a date alone includes that day.
    #[serde(default)]
    end_date: Option<String>,
}

/// A part of a message that was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Item {
    /// `system_message`, `user_message`, `assistant_message` or `reasoning_message`.
    #[schema(value_type = String)]
    message_type: MessageType,
    message_id: String,
    /// What was said; of a reasoning message see `reasoning`.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Value>,
    /// What was thought.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reasoning: Option<Value>,
    agent_id: String,
    conversation_id: Option<String>,
    created_at: DateTime<Utc>,
    /// The fused score; more is better.
    rrf_score: f64,
    /// Its place by words, from 1.
    fts_rank: Option<u32>,
    /// Its place by meaning, from 1.
    vector_rank: Option<u32>,
}

/// Finds messages of all the organisation's agents or of one, by words and by meaning.
#[utoipa::path(
    post,
    path = "/v1/messages/search",
    operation_id = "messages.search",
    tag = "messages",
    request_body = SearchAll,
    responses((status = 200, description = "What was found, best first.", body = Vec<Item>), Refusals)
)]
pub async fn search(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<SearchAll>,
) -> Answer<Vec<Item>> {
    if elsewhere(body.conversation_id.as_deref()) {
        return Ok(Json(Vec::new()));
    }
    let bounds = MemoryBounds { start: body.start_date, end: body.end_date };
    let (start, end) = bounds.in_utc(["body", "start_date", "end_date"])?;
    let search = MessageSearch {
        agent_id: body.agent_id,
        project_id: None,
        template_id: None,
        query: Some(body.query).filter(|text| !text.trim().is_empty()),
        roles: vec![MessageRole::User, MessageRole::Assistant, MessageRole::System],
        start,
        end,
        limit: body.limit.unwrap_or(50).clamp(1, MOST),
        offset: 0,
    };
    let found = app.core.search_messages(&actor, search, body.search_mode.unwrap_or_default()).await?;
    Ok(Json(found.iter().flat_map(items).collect()))
}

/// The parts of a message that this search shows: what was said or thought.
fn items(found: &FoundMessage) -> Vec<Item> {
    let message = &found.message;
    let shown = envelopes(message, &RequestConfig::default()).into_iter().filter_map(|envelope| {
        let field = match envelope.message_type {
            MessageType::SystemMessage | MessageType::UserMessage | MessageType::AssistantMessage => "content",
            MessageType::ReasoningMessage => "reasoning",
            _ => return None,
        };
        let said = serde_json::to_value(&envelope).ok()?.get_mut(field).map(Value::take);
        let (content, reasoning) = if field == "content" { (said, None) } else { (None, said) };
        Some(Item {
            message_type: envelope.message_type,
            message_id: message.id.to_string(),
            content,
            reasoning,
            agent_id: message.agent_id.to_string(),
            conversation_id: None,
            created_at: message.created_at,
            rrf_score: found.score,
            fts_rank: found.text_rank,
            vector_rank: found.vector_rank,
        })
    });
    shown.collect()
}
