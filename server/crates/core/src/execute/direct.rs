//! Calls an agent's tool outside of its turns: with its variables, without its memory, and never round a person's approval.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, JsonObject, Page,
    agent::Include,
    tool::{Tool, ToolType},
    tool_rule::ToolRule,
};
use mneme_macros::boxed;

use super::{Answer, Call, Nobody};
use crate::{Core, CoreError, Result};

#[boxed]
impl Core {
    /// Whether a tool may be called outside of a turn at all.
    pub fn is_callable_directly(tool: &Tool) -> bool {
        matches!(tool.tool_type, ToolType::Custom | ToolType::ExternalMcp | ToolType::LettaBuiltin)
            && tool.default_requires_approval != Some(true)
    }

    /// Calls a tool of an agent.
    ///
    /// # Errors
    /// 404 for an unknown agent and for a tool that it does not have, 403 for one that only runs in its turns.
    pub async fn call_agent_tool(
        self: &Arc<Self>,
        actor: &Actor,
        id: &AgentId,
        name: &str,
        arguments: JsonObject,
    ) -> Result<Answer> {
        let agent = self.get_agent(actor, id, Include::NONE).await?;
        let tools = self.list_agent_tools(actor, id, &Page::all()).await?;
        let tool = tools.iter().find(|tool| tool.call_name() == name);
        let tool = tool.ok_or_else(|| CoreError::NotFound(format!("The agent has no tool named {name}")))?;
        let guarded = agent
            .tool_rules
            .iter()
            .any(|rule| matches!(rule, ToolRule::RequiresApproval { tool_name, .. } if tool_name == name));
        if guarded || tool.default_requires_approval == Some(true) {
            return Err(CoreError::Forbidden(format!(
                "A person approves each call of {name}; send the agent a message that makes it call the tool"
            )));
        }
        if !Self::is_callable_directly(tool) {
            return Err(CoreError::Forbidden(format!(
                "{name} works on the agent's memory and runs in its turns only; send the agent a message instead"
            )));
        }
        let arguments = serde_json::Value::Object(arguments).to_string();
        let host = Arc::new(Nobody::new(self.clone(), actor.clone()));
        let call =
            Call { actor, agent: Some(id), step: None, tool, arguments: &arguments, host, variables: Vec::new() };
        Ok(self.execute(call).await)
    }
}
