//! `conversation_search`.

use mneme_tool_sdk::{Agent, Conversation, Hit, Query, ToolError, ToolSchema, tool};
use serde::{Deserialize, Serialize};

use crate::ago;

/// Who said it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToolSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Assistant,
    User,
    Tool,
}

impl Role {
    fn name(self) -> String {
        match self {
            Self::Assistant => "assistant",
            Self::User => "user",
            Self::Tool => "tool",
        }
        .to_owned()
    }
}

/// Looks through everything that was said in your conversations so far, also what is no longer
/// in view, by words and by meaning. Best matches come first.
///
/// # Arguments
/// * `query` - What to look for.
/// * `roles` - Only messages of these roles. All of them when left out.
/// * `limit` - How many messages to return at most. The server decides when left out.
/// * `start_date` - Only messages of this moment or later: an ISO 8601 date ("2025-03-09", the
///   whole day counts) or date and time ("2025-03-09T14:30"), in your time zone.
/// * `end_date` - Only messages of this moment or earlier, written like `start_date`; a date
///   without a time includes that day.
#[tool]
pub fn conversation_search(
    conversation: &Conversation,
    agent: &Agent,
    query: String,
    roles: Option<Vec<Role>>,
    limit: Option<u32>,
    start_date: Option<String>,
    end_date: Option<String>,
) -> Result<String, ToolError> {
    let hits = conversation.search(&Query {
        text: query,
        roles: roles.unwrap_or_default().into_iter().map(Role::name).collect(),
        limit: limit.filter(|&most| most > 0),
        start_date: start_date.filter(|date| !date.trim().is_empty()),
        end_date: end_date.filter(|date| !date.trim().is_empty()),
    })?;
    if hits.is_empty() {
        return Ok("No messages found.".to_owned());
    }
    let now = agent.now();
    let found: Vec<_> = hits.into_iter().map(|hit| Found::new(hit, now)).collect();
    let list = serde_json::to_string_pretty(&found).map_err(ToolError::failed)?;
    Ok(format!("Showing {} results: {list}", found.len()))
}

/// A hit as the model sees it; the order of the members is what older agents are used to.
#[derive(Serialize)]
struct Found {
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_ago: Option<String>,
    role: String,
    content: String,
}

impl Found {
    fn new(hit: Hit, now: i64) -> Self {
        Self {
            time_ago: ago::time_ago(&hit.timestamp, now),
            timestamp: hit.timestamp,
            role: hit.role,
            content: hit.content,
        }
    }
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::mock::MockHost;
    use mneme_tool_sdk::{HostError, Tool};
    use serde_json::{Value, json};

    use super::*;

    fn host() -> MockHost {
        let hit = |role: &str, content: &str| Hit {
            id: "message-1".into(),
            timestamp: "2026-11-23T14:51:02.243395+00:00".into(),
            role: role.into(),
            content: content.into(),
        };
        MockHost::new()
            .with_hits(vec![hit("assistant", "the secret"), hit("user", "a \"secret\"?")])
            .at(1_795_445_462_243 + 90_000)
    }

    #[test]
    fn hits_are_shown_as_indented_json() {
        let answer = host().call::<conversation_search>(json!({"query": "secret", "limit": 1})).expect("an answer");
        assert_eq!(
            answer,
            "Showing 1 results: [\n  {\n    \"timestamp\": \"2026-11-23T14:51:02.243395+00:00\",\n    \
             \"time_ago\": \"1m ago\",\n    \"role\": \"assistant\",\n    \"content\": \"the secret\"\n  }\n]"
        );
    }

    #[test]
    fn filters_reach_the_host() {
        let host = host();
        let arguments = json!({
            "query": "secret", "roles": ["assistant", "tool"], "limit": 3,
            "start_date": "2020-01-01", "end_date": "2020-12-31T10:00",
        });
        host.call::<conversation_search>(arguments).expect("an answer");
        host.call::<conversation_search>(json!({"query": "x", "limit": 0, "end_date": ""})).expect("an answer");
        assert_eq!(
            host.queries(),
            [
                Query {
                    text: "secret".into(),
                    roles: vec!["assistant".into(), "tool".into()],
                    limit: Some(3),
                    start_date: Some("2020-01-01".into()),
                    end_date: Some("2020-12-31T10:00".into()),
                },
                Query { text: "x".into(), ..Query::default() }
            ]
        );
    }

    #[test]
    fn nothing_found_and_bad_arguments() {
        let empty = MockHost::new();
        let nothing = empty.call::<conversation_search>(json!({"query": "x"}));
        assert_eq!(nothing, Ok("No messages found.".to_owned()));
        let role = empty.call::<conversation_search>(json!({"query": "x", "roles": ["system"]}));
        let role = role.expect_err("no such role").to_string();
        assert!(role.contains("`roles`") && role.contains("one of \"assistant\", \"user\", \"tool\""), "{role}");
        let date = MockHost::new().refusing(HostError::Invalid("`start_date` is no date".into()));
        assert_eq!(
            date.call::<conversation_search>(json!({"query": "x", "start_date": "soon"})),
            Err(ToolError::InvalidArguments("`start_date` is no date".into()))
        );
    }

    #[test]
    fn the_schema_is_the_one_clients_know() {
        let spec = conversation_search::spec();
        assert_eq!(spec.capabilities, ["conversation-search"]);
        let properties = spec.parameters["properties"].as_object().expect("an object");
        let names: Vec<_> = properties.keys().collect();
        assert_eq!(names, ["query", "roles", "limit", "start_date", "end_date"]);
        let mut roles = properties["roles"].clone();
        let described = roles.as_object_mut().and_then(|roles| roles.remove("description"));
        assert!(matches!(described, Some(Value::String(text)) if !text.is_empty()));
        let items = json!({"type": "string", "enum": ["assistant", "user", "tool"]});
        assert_eq!(roles, json!({"type": "array", "items": items}));
        assert_eq!(spec.parameters["required"], json!(["query"]));
    }
}
