//! Messages to one agent.

use mneme_tool_sdk::{Agent, Api, Json, ToolError, tool};
use serde_json::json;

use crate::replies::{Reply, ask};

/// Sends a message to another agent and waits for its reply. You cannot be answered by an agent that waits for you.
///
/// # Arguments
/// * `message` - What to tell the other agent.
/// * `other_agent_id` - The identifier of the other agent: agent-….
#[tool]
pub fn send_message_to_agent_and_wait_for_reply(
    api: &Api,
    agent: &Agent,
    message: String,
    other_agent_id: String,
) -> Result<Json<Vec<Reply>>, ToolError> {
    ask(api, &agent.id(), &[identified(&other_agent_id)?], &message).map(Json)
}

/// Sends a message to another agent and goes on at once, without waiting for a reply. If the other agent has this tool
/// too, it can write back to you later.
///
/// # Arguments
/// * `message` - What to tell the other agent.
/// * `other_agent_id` - The identifier of the other agent: agent-….
#[tool]
pub fn send_message_to_agent_async(
    api: &Api,
    agent: &Agent,
    message: String,
    other_agent_id: String,
) -> Result<&'static str, ToolError> {
    if message.trim().is_empty() {
        return Err(ToolError::InvalidArguments("`message` is empty".to_owned()));
    }
    let other = identified(&other_agent_id)?;
    let from = agent.id();
    let text = format!(
        "[From the agent {from}, which does not wait for your reply. To answer it, send it a message with \
         send_message_to_agent_async.]\n\n{message}"
    );
    let body = json!({"messages": [{"role": "user", "content": text, "sender_id": from}]});
    api.post(&format!("/v1/agents/{other}/messages/async")).json(&body).send()?.ok()?;
    Ok("The message is on its way.")
}

/// An identifier as the server takes it. Models like to give a name instead.
fn identified(id: &str) -> Result<String, ToolError> {
    let id = id.trim();
    if id.starts_with("agent-") && !id.contains('/') {
        return Ok(id.to_owned());
    }
    let reason = format!("`other_agent_id` is {id:?}, which is no identifier of an agent: they look like agent-…");
    Err(ToolError::InvalidArguments(reason))
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::http::Response;
    use mneme_tool_sdk::mock::MockHost;
    use serde_json::Value;

    use super::*;

    const OTHER: &str = "agent-123e4567-e89b-42d3-8456-426614174000";

    #[test]
    fn what_the_other_agent_says_is_the_answer() {
        let said = json!([{"agent_id": OTHER, "agent_name": "Bo", "response": "noon", "error": null}]);
        let host = MockHost::new().answering(
            "POST",
            "http://mneme.internal/v1/agents/messages/broadcast",
            Response::new(200).with_body(said.to_string()),
        );
        let arguments = json!({"message": "When?", "other_agent_id": OTHER});
        let answer = host.call::<send_message_to_agent_and_wait_for_reply>(arguments).expect("an answer");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer, json!([{"agent_id": OTHER, "agent_name": "Bo", "response": "noon"}]));
    }

    #[test]
    fn a_name_is_no_identifier() {
        let host = MockHost::new();
        let arguments = json!({"message": "When?", "other_agent_id": "Bo"});
        let waited = host.call::<send_message_to_agent_and_wait_for_reply>(arguments.clone());
        for refused in [waited.err(), host.call::<send_message_to_agent_async>(arguments).err()] {
            assert!(
                matches!(&refused, Some(ToolError::InvalidArguments(why)) if why.contains("\"Bo\"")),
                "{refused:?}"
            );
        }
        assert!(host.requests().is_empty());
    }

    #[test]
    fn a_message_without_words_is_not_sent() {
        let host = MockHost::new();
        let arguments = json!({"message": " ", "other_agent_id": OTHER});
        let refused = host.call::<send_message_to_agent_async>(arguments);
        assert!(matches!(refused, Err(ToolError::InvalidArguments(_))));
        assert!(host.requests().is_empty());
    }
}
