//! Messages to all agents with certain tags.

use mneme_tool_sdk::{Agent, Api, Json, ToolError, tool};
use serde::Deserialize;

use crate::replies::{MOST, Reply, ask};

/// An agent of a list.
#[derive(Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    tags: Vec<String>,
}

/// Sends a message to every agent that has all tags of one list and at least one of another, and waits for their
/// replies. The agents work at the same time.
///
/// # Arguments
/// * `message` - What to tell the agents.
/// * `match_all` - Tags that an agent must have, all of them. May be left out.
/// * `match_some` - Tags of which an agent must have at least one. May be left out.
#[tool]
pub fn send_message_to_agents_matching_tags(
    api: &Api,
    agent: &Agent,
    message: String,
    match_all: Option<Vec<String>>,
    match_some: Option<Vec<String>>,
) -> Result<Json<Vec<Reply>>, ToolError> {
    let (match_all, match_some) = (match_all.unwrap_or_default(), match_some.unwrap_or_default());
    let tags = if match_all.is_empty() { &match_some } else { &match_all };
    if tags.is_empty() {
        return Err(ToolError::InvalidArguments("name at least one tag".to_owned()));
    }
    let mut request = api.get("/v1/agents").query("include", "agent.tags").query("limit", "1000");
    for tag in tags {
        request = request.query("tags", tag);
    }
    if !match_all.is_empty() {
        request = request.query("match_all_tags", "true");
    }
    let listed: Vec<Listed> = request.send()?.ok()?.json()?;
    let own = agent.id();
    let wanted = |listed: &Listed| {
        listed.id != own && (match_some.is_empty() || listed.tags.iter().any(|tag| match_some.contains(tag)))
    };
    let agents: Vec<String> = listed.into_iter().filter(wanted).map(|listed| listed.id).collect();
    if agents.is_empty() {
        return Err(ToolError::failed("no other agent has these tags"));
    }
    if agents.len() > MOST {
        return Err(ToolError::failed(format!("{} agents have these tags; at most {MOST} are asked", agents.len())));
    }
    ask(api, &own, &agents, &message).map(Json)
}
