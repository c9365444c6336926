//! Asking several agents, and what they say.

use std::time::Duration;

use mneme_tool_sdk::{Api, ToolError};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How long other agents may take. The call's own limit comes on top.
pub const PATIENCE: Duration = Duration::from_secs(600);
/// The most agents that are asked at once.
pub const MOST: usize = 50;

/// What one agent answered.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reply {
    agent_id: String,
    agent_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Tells agents something and waits for what each of them says.
///
/// # Errors
/// When the server takes none of it; an agent that fails is a reply.
pub fn ask(api: &Api, sender: &str, agents: &[String], message: &str) -> Result<Vec<Reply>, ToolError> {
    if message.trim().is_empty() {
        return Err(ToolError::InvalidArguments("`message` is empty".to_owned()));
    }
    if agents.len() > MOST {
        return Err(ToolError::failed(format!("{} agents would be asked; at most {MOST} are", agents.len())));
    }
    let body = json!({"agent_ids": agents, "message": message, "sender_id": sender});
    api.post("/v1/agents/messages/broadcast").json(&body).timeout(PATIENCE).send()?.ok()?.json()
}
