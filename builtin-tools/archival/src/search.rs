//! `archival_memory_search`.

use mneme_tool_sdk::{Archival, ArchivalHit, ArchivalQuery, ToolError, ToolSchema, tool};
use serde::{Deserialize, Serialize};

/// How many of the named tags a memory needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToolSchema)]
#[serde(rename_all = "lowercase")]
pub enum TagMatch {
    Any,
    All,
}

/// Looks through your archival memory by words and by meaning. Best matches come first, each with
/// its time, its tags and how it was found. A question works as well as keywords.
///
/// # Arguments
/// * `query` - What to look for.
/// * `tags` - Only memories with these tags.
/// * `tag_match_mode` - Whether a memory needs "any" of the tags or "all" of them. "any" when left
///   out.
/// * `top_k` - How many memories to return at most. The server decides when left out.
/// * `start_datetime` - Only memories of this moment or later: an ISO 8601 date ("2025-03-09", the
///   whole day counts) or date and time ("2025-03-09T14:30"), in your time zone.
/// * `end_datetime` - Only memories of this moment or earlier, written like `start_datetime`; a
///   date without a time includes that day.
#[tool]
pub fn archival_memory_search(
    archival: &Archival,
    query: String,
    tags: Option<Vec<String>>,
    tag_match_mode: Option<TagMatch>,
    top_k: Option<u32>,
    start_datetime: Option<String>,
    end_datetime: Option<String>,
) -> Result<String, ToolError> {
    let hits = archival.search(&ArchivalQuery {
        text: query,
        tags: tags.unwrap_or_default(),
        match_all_tags: tag_match_mode == Some(TagMatch::All),
        limit: top_k.filter(|&most| most > 0),
        start: start_datetime.filter(|date| !date.trim().is_empty()),
        end: end_datetime.filter(|date| !date.trim().is_empty()),
    })?;
    if hits.is_empty() {
        return Ok("No memories found.".to_owned());
    }
    let found: Vec<_> = hits.into_iter().map(Found::from).collect();
    let list = serde_json::to_string_pretty(&found).map_err(ToolError::failed)?;
    Ok(format!("Showing {} results: {list}", found.len()))
}

/// A hit as the model sees it.
#[derive(Serialize)]
struct Found {
    timestamp: String,
    tags: Vec<String>,
    content: String,
    relevance: Relevance,
}

/// How a memory was found.
#[derive(Serialize)]
struct Relevance {
    rrf_score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector_rank: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fts_rank: Option<u32>,
}

impl From<ArchivalHit> for Found {
    fn from(hit: ArchivalHit) -> Self {
        let relevance = Relevance {
            // Four digits tell scores apart; more would only cost tokens.
            rrf_score: (hit.score * 10_000.0).round() / 10_000.0,
            vector_rank: hit.vector_rank,
            fts_rank: hit.text_rank,
        };
        Self { timestamp: hit.timestamp, tags: hit.tags, content: hit.content, relevance }
    }
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::Tool;
    use mneme_tool_sdk::mock::MockHost;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn hits_carry_time_tags_content_and_relevance() {
        let host = MockHost::new().with_memories(vec![ArchivalHit {
            id: "passage-1".into(),
            timestamp: "2026-11-23T14:51:02+00:00".into(),
            tags: vec!["bio".into()],
            content: "Timber was born in \"May\"".into(),
            score: 0.032_786_885,
            vector_rank: Some(1),
            text_rank: None,
        }]);
        let answer = host.call::<archival_memory_search>(json!({"query": "born"})).expect("an answer");
        let list = answer.strip_prefix("Showing 1 results: ").expect("a list");
        let list: Value = serde_json::from_str(list).expect("JSON");
        assert_eq!(
            list,
            json!([{
                "timestamp": "2026-11-23T14:51:02+00:00", "tags": ["bio"],
                "content": "Timber was born in \"May\"",
                "relevance": {"rrf_score": 0.0328, "vector_rank": 1},
            }])
        );
    }

    #[test]
    fn filters_reach_the_host() {
        let host = MockHost::new();
        let nothing = host.call::<archival_memory_search>(json!({
            "query": "x", "tags": ["a", "b"], "tag_match_mode": "all", "top_k": 3,
            "start_datetime": "2020-01-01", "end_datetime": " ",
        }));
        assert_eq!(nothing, Ok("No memories found.".to_owned()));
        host.call::<archival_memory_search>(json!({"query": "y", "top_k": 0})).expect("an answer");
        let mode = json!({"query": "x", "tag_match_mode": "some"});
        assert!(host.call::<archival_memory_search>(mode).is_err());
        assert_eq!(
            host.archival_queries(),
            [
                ArchivalQuery {
                    text: "x".into(),
                    tags: vec!["a".into(), "b".into()],
                    match_all_tags: true,
                    limit: Some(3),
                    start: Some("2020-01-01".into()),
                    end: None,
                },
                ArchivalQuery { text: "y".into(), ..ArchivalQuery::default() }
            ]
        );
    }

    #[test]
    fn the_schema_is_the_one_clients_know() {
        let spec = archival_memory_search::spec();
        assert_eq!(spec.capabilities, ["archival"]);
        let properties = spec.parameters["properties"].as_object().expect("an object");
        let names: Vec<_> = properties.keys().collect();
        let known = ["query", "tags", "tag_match_mode", "top_k", "start_datetime", "end_datetime"];
        assert_eq!(names, known);
        assert_eq!(properties["tag_match_mode"]["enum"], json!(["any", "all"]));
        assert_eq!(spec.parameters["required"], json!(["query"]));
    }
}
