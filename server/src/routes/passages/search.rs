//! Searches passages of all archives.

use axum::{Json, extract::State};
use mneme_core::{MemoryBounds, PassageQuery};
use mneme_domain::{
    AgentId, ArchiveId,
    archive::{Passage, TagMatch},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Refusals,
};

/// What to look for, and where.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = PassageSearch)]
pub struct Search {
    /// A question or keywords; without any, the newest passages come.
    #[serde(default)]
    query: Option<String>,
    /// Only in this archive.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    archive_id: Option<ArchiveId>,
    /// Only what this agent can read.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    agent_id: Option<AgentId>,
    /// Only passages with these tags.
    #[serde(default)]
    tags: Option<Vec<String>>,
    /// Whether a passage needs one of the tags or all of them.
    #[serde(default)]
    tag_match_mode: TagMatch,
    /// At most this many, 1 to 100; 10 when left out.
    #[serde(default)]
    limit: Option<u32>,
    /// Made then or later; without an offset, in the agent's time zone or UTC.
    #[serde(default)]
    start_date: Option<String>,
    /// Made then or earlier; a date alone includes that day.
    #[serde(default)]
    end_date: Option<String>,
}

/// A passage that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PassageHit)]
pub struct Hit {
    passage: Passage,
    /// The fused score; more is better.
    score: f64,
    /// How it was found.
    metadata: Ranks,
}

/// Places in the two lists that were fused.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ranks {
    /// By meaning, from 1.
    vector_rank: Option<u32>,
    /// By words, from 1.
    fts_rank: Option<u32>,
}

/// Searches passages by words and by meaning: of an archive, of an agent, or of all archives.
#[utoipa::path(
    post,
    path = "/v1/passages/search",
    operation_id = "passages.search",
    tag = "passages",
    request_body = Search,
    responses((status = 200, description = "What was found, best first.", body = Vec<Hit>), Refusals)
)]
pub async fn search(State(app): State<AppState>, Caller(actor): Caller, Body(body): Body<Search>) -> Answer<Vec<Hit>> {
    let query = PassageQuery {
        text: body.query.unwrap_or_default(),
        tags: body.tags.unwrap_or_default(),
        tag_match: body.tag_match_mode,
        bounds: MemoryBounds { start: body.start_date, end: body.end_date },
        limit: Some(body.limit.unwrap_or(10)),
    };
    let found = app.core.search_passages(&actor, body.archive_id.as_ref(), body.agent_id.as_ref(), query).await?;
    let hit = |found: mneme_core::FoundPassage| Hit {
        score: found.score,
        metadata: Ranks { vector_rank: found.vector_rank, fts_rank: found.text_rank },
        passage: found.passage,
    };
    Ok(Json(found.into_iter().map(hit).collect()))
}
