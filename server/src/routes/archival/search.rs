//! Searches an agent's archival memory.

use axum::{Json, extract::State};
use mneme_core::{MemoryBounds, PassageQuery};
use mneme_domain::{AgentId, PassageId, archive::TagMatch};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::AppState,
    http::{Answer, Caller, Client, Id, Query},
    routes::refusals::Refusals,
};

/// Results of a page unless the client says otherwise.
const DEFAULT_SIZE: u32 = 5;

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// A question or keywords; an empty text finds the newest passages.
    query: String,
    /// Only passages with these tags.
    #[serde(default)]
    #[param(required = false)]
    tags: Vec<String>,
    /// Whether a passage needs one of the tags or all of them.
    #[param(inline)]
    tag_match_mode: Option<TagMatch>,
    /// At most this many, 5 when left out.
    #[param(minimum = 1, maximum = 100)]
    top_k: Option<u32>,
    /// Passes over so many times `top_k` results; the first 100 can be seen.
    page: Option<u32>,
    /// Made then or later; without an offset, in the agent's time zone. A date alone means its first moment.
    start_datetime: Option<String>,
    /// Made then or earlier, written like the start. A date alone includes that day.
    end_datetime: Option<String>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Results {
    /// The best first.
    results: Vec<Hit>,
    count: usize,
}

/// A passage that was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ArchivalHit)]
pub struct Hit {
    /// `passage-<uuid4>`; for clients of the 1.x generation, which insist on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    id: Option<PassageId>,
    /// When it was made, in the agent's time zone.
    timestamp: String,
    content: String,
    tags: Vec<String>,
}

/// Searches the agent's archival memory by words and by meaning.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/archival-memory/search",
    operation_id = "agents.passages.search",
    tag = "agents/passages",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), Params),
    responses((status = 200, description = "What was found.", body = Results), Refusals)
)]
pub async fn search(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(agent): Id<AgentId>,
    Query(params): Query<Params>,
) -> Answer<Results> {
    let size = params.top_k.unwrap_or(DEFAULT_SIZE).max(1);
    let passed_over = params.page.unwrap_or(0).saturating_mul(size);
    let query = PassageQuery {
        text: params.query,
        tags: params.tags,
        tag_match: params.tag_match_mode.unwrap_or_default(),
        bounds: MemoryBounds { start: params.start_datetime, end: params.end_datetime },
        limit: Some(size.saturating_add(passed_over)),
    };
    let (found, zone) = app.core.search_memories(&actor, &agent, query).await?;
    let results: Vec<Hit> = found
        .into_iter()
        .skip(usize::try_from(passed_over).unwrap_or(usize::MAX))
        .map(|found| Hit {
            id: (client == Client::Current).then_some(found.passage.id),
            timestamp: found.passage.created_at.with_timezone(&zone).to_rfc3339(),
            content: found.passage.text,
            tags: found.passage.tags.unwrap_or_default(),
        })
        .collect();
    Ok(Json(Results { count: results.len(), results }))
}
