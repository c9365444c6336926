//! What the manager of a group does.

use mneme_tool_sdk::{Agent, Api, Json, ToolError, tool};
use serde::Deserialize;

use crate::replies::{Reply, ask};

/// A group of a list.
#[derive(Deserialize)]
struct Listed {
    manager_agent_id: Option<String>,
    agent_ids: Vec<String>,
}

/// Sends a message to every agent of your group and waits for their replies. The agents work at the same time.
///
/// # Arguments
/// * `message` - What to tell the agents.
#[tool]
pub fn send_message_to_all_agents_in_group(
    api: &Api,
    agent: &Agent,
    message: String,
) -> Result<Json<Vec<Reply>>, ToolError> {
    let own = agent.id();
    let path = format!("/v1/agents/{own}/groups");
    let groups: Vec<Listed> = api.get(&path).query("manager_type", "supervisor").send()?.ok()?.json()?;
    let mut agents: Vec<String> = Vec::new();
    for group in groups.into_iter().filter(|group| group.manager_agent_id.as_deref() == Some(own.as_str())) {
        agents.extend(group.agent_ids.into_iter().filter(|id| *id != own));
    }
    agents.dedup();
    if agents.is_empty() {
        return Err(ToolError::failed("you manage no group with other agents in it"));
    }
    ask(api, &own, &agents, &message).map(Json)
}

/// Says which agent of your group speaks next. Your turn ends with this.
///
/// # Arguments
/// * `next_speaker_agent_id` - The identifier of the agent that speaks next: agent-….
// The choice travels in the call's arguments: the server reads it there.
#[tool]
pub fn choose_next_participant(next_speaker_agent_id: String) -> Result<String, ToolError> {
    if next_speaker_agent_id.trim().is_empty() {
        return Err(ToolError::InvalidArguments("`next_speaker_agent_id` is empty".to_owned()));
    }
    Ok(format!("{next_speaker_agent_id} speaks next."))
}
