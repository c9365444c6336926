//! Searches tools, as newer clients ask for it.

use axum::{Json, extract::State};
use mneme_core::{SearchMode, ToolSearch};
use mneme_domain::tool::Tool;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::filter::kinds;
use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Refusals,
};

/// Most tools of one answer.
const MOST: u32 = 100;

/// What to look for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SearchTools {
    /// Words; without any the newest tools come.
    #[serde(default)]
    query: Option<String>,
    /// Tools have no vectors here: whatever is asked for, they are searched by words.
    #[serde(default, rename = "search_mode")]
    _search_mode: Option<SearchMode>,
    /// Kinds, any of them.
    #[serde(default)]
    tool_types: Option<Vec<String>>,
    /// Tags, any of them.
    #[serde(default)]
    tags: Option<Vec<String>>,
    /// At most this many, 1 to 100; 50 when left out.
    #[serde(default)]
    limit: Option<u32>,
}

/// A tool that was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundTool {
    tool: Tool,
    /// What was looked through.
    embedded_text: String,
    /// Its place by words, from 1; without any words, by time.
    fts_rank: u32,
    /// Always null.
    vector_rank: Option<u32>,
    /// More is better.
    combined_score: f64,
}

/// Finds tools by the words of their names, tags, arguments and descriptions.
#[utoipa::path(
    post,
    path = "/v1/tools/search",
    operation_id = "tools.search",
    tag = "tools",
    request_body = SearchTools,
    responses((status = 200, description = "What was found, best first.", body = Vec<FoundTool>), Refusals)
)]
pub async fn search(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<SearchTools>,
) -> Answer<Vec<FoundTool>> {
    let limit = body.limit.unwrap_or(50).clamp(1, MOST) as usize;
    let tool_types = kinds(["body", "tool_types"], body.tool_types.unwrap_or_default())?;
    let search = ToolSearch { query: body.query, tags: body.tags.unwrap_or_default(), tool_types, limit };
    let found = app.core.search_tools(&actor, search).await?;
    let shown = found.into_iter().map(|found| FoundTool {
        tool: found.tool,
        embedded_text: found.text,
        fts_rank: found.rank,
        vector_rank: None,
        combined_score: found.score,
    });
    Ok(Json(shown.collect()))
}
