//! Searches messages of all agents.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use mneme_core::MessageSearch;
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
pub struct Search {
    /// Words; without any, the newest messages come.
    #[serde(default)]
    query: Option<String>,
    /// `vector`, `fts` or `hybrid`. This version searches by words whatever is asked.
    #[serde(default)]
    #[schema(default = "hybrid")]
    search_mode: Option<Mode>,
    /// Only these speakers.
    #[serde(default)]
    roles: Option<Vec<MessageRole>>,
    #[serde(default)]
    project_id: Option<String>,
    #[serde(default)]
    template_id: Option<String>,
    /// At most this many, 1 to 100.
    #[serde(default = "fifty")]
    limit: u32,
    /// Not before.
    #[serde(default)]
    start_date: Option<DateTime<Utc>>,
    /// Not after.
    #[serde(default)]
    end_date: Option<DateTime<Utc>>,
}

/// How to search.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Vector,
    Fts,
    Hybrid,
}

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
    fts_rank: Option<usize>,
    /// Its place by meaning.
    vector_rank: Option<usize>,
    /// The fused score.
    rrf_score: f64,
}

/// Finds messages of all the organisation's agents.
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
    tracing::debug!(mode = ?body.search_mode, project = ?body.project_id, template = ?body.template_id, "message search");
    let search = MessageSearch {
        agent_id: None,
        query: body.query.filter(|text| !text.trim().is_empty()),
        roles: body.roles.unwrap_or_default(),
        start: body.start_date,
        end: body.end_date,
        limit: body.limit.clamp(1, 100),
        offset: 0,
    };
    let found = app.core.search_messages(&actor, search).await?;
    let shown = found.into_iter().enumerate().map(|(index, message)| Found {
        embedded_text: message.text(),
        message,
        fts_rank: Some(index + 1),
        vector_rank: None,
        // Reciprocal rank fusion with its usual constant, of the one list there is.
        rrf_score: 1.0 / (60.0 + 1.0 + f64::from(u32::try_from(index).unwrap_or(u32::MAX))),
    });
    Ok(Json(shown.collect()))
}
