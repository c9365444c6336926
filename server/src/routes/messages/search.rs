//! Searches messages of all agents.

use axum::{Json, extract::State};
use mneme_core::{FoundMessage, MemoryBounds, MessageSearch, SearchMode};
use mneme_domain::message::{Message, MessageRole};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Refusals,
};

/// What to look for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = MessageSearch)]
pub struct Search {
    /// Words; without any, the newest messages come.
    #[serde(default)]
    query: Option<String>,
    /// By meaning (`vector`), by words (`fts`), or by both (`hybrid`).
    #[serde(default)]
    #[schema(default = "hybrid")]
    search_mode: Option<SearchMode>,
    /// Only these speakers.
    #[serde(default)]
    roles: Option<Vec<MessageRole>>,
    /// Only of agents of this project.
    #[serde(default)]
    project_id: Option<String>,
    /// Only of agents made from this template.
    #[serde(default)]
    template_id: Option<String>,
    /// At most this many, 1 to 100.
    #[serde(default = "fifty")]
    limit: u32,
    /// Made then or later; without an offset, in UTC.
    #[serde(default)]
    start_date: Option<String>,
    /// Made then or earlier; a date alone includes that day.
    #[serde(default)]
    end_date: Option<String>,
}

/// Results at most.
pub(super) const MOST: u32 = 100;

fn fifty() -> u32 {
    50
}

/// A message that was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// The text that was searched.
    embedded_text: String,
    /// The message.
    message: Message,
    /// Its place by words, from 1.
    fts_rank: Option<u32>,
    /// Its place by meaning, from 1.
    vector_rank: Option<u32>,
    /// The fused score.
    rrf_score: f64,
}

/// Finds messages of all the organisation's agents, by words and by meaning. What was said a moment ago is found by its
/// words at once, and by meaning soon.
#[utoipa::path(
    post,
    path = "/v1/agents/messages/search",
    operation_id = "agents.messages.search",
    tag = "agents/messages",
    request_body = Search,
    responses((status = 200, description = "What was found, best first.", body = Vec<Found>), Refusals)
)]
pub async fn search(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<Search>,
) -> Answer<Vec<Found>> {
    let bounds = MemoryBounds { start: body.start_date, end: body.end_date };
    let (start, end) = bounds.in_utc(["body", "start_date", "end_date"])?;
    let search = MessageSearch {
        agent_id: None,
        project_id: body.project_id.filter(|id| !id.is_empty()),
        template_id: body.template_id.filter(|id| !id.is_empty()),
        query: body.query.filter(|text| !text.trim().is_empty()),
        roles: body.roles.unwrap_or_default(),
        start,
        end,
        limit: body.limit.clamp(1, MOST),
        offset: 0,
    };
    let found = app.core.search_messages(&actor, search, body.search_mode.unwrap_or_default()).await?;
    let show = |found: FoundMessage| Found {
        embedded_text: found.message.said(),
        message: found.message,
        fts_rank: found.text_rank,
        vector_rank: found.vector_rank,
        rrf_score: found.score,
    };
    Ok(Json(found.into_iter().map(show).collect()))
}
