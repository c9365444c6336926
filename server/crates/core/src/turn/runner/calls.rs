//! The calls of a step: what may be called is settled before the model is asked, and sorted out when it has answered.

use std::sync::Arc;

use mneme_domain::{
    MessageId,
    agent::Agent,
    message::{Message, MessageRole, StoredToolReturn},
    request::ClientTool,
    tool::Tool,
};
use mneme_llm::ToolSpec;
use serde_json::json;

use super::{
    super::{approval::Guard, heartbeats, model_call, rules, tools::refusal},
    State, Turn,
};

/// A step's calls, sorted.
pub(super) struct Sorted {
    /// The message that asks for approval of those that wait.
    pub request: Option<Message>,
    /// Of the others, at their places: returns of those that do not run.
    pub settled: Vec<Option<StoredToolReturn>>,
}

/// The tools as the provider is told of them; the client's go before the agent's.
pub fn specs(agent: &Agent, tools: &[Arc<Tool>], client: &[ClientTool]) -> Vec<ToolSpec> {
    let own = |tool: &&Arc<Tool>| !client.iter().any(|other| other.name == tool.call_name());
    let mut specs = model_call::specs(agent, tools.iter().filter(own).map(|tool| &**tool));
    specs.extend(client.iter().map(|tool| {
        let mut spec = ToolSpec {
            name: tool.name.clone(),
            description: tool.description.clone().unwrap_or_default(),
            parameters: tool.parameters.clone().unwrap_or_else(|| json!({"type": "object", "properties": {}})),
        };
        if heartbeats::asked(agent) {
            heartbeats::add(&mut spec, &agent.tool_rules);
        }
        spec
    }));
    specs
}

impl Turn {
    /// Settles what the step's model call offers and which of its calls will wait. `message` is the step's answer to be.
    pub(super) fn look_ahead(&self, state: &mut State, message: &Message) {
        let agent = &state.agent;
        let names = state.tool_names();
        let offer = rules::offer(&agent.tool_rules, &names, &state.trail);
        let waits = |name: &str| {
            offer.allows(name) && (self.is_clients(name) || rules::needs_approval(&agent.tool_rules, name))
        };
        let guarded = names.iter().filter(|name| waits(name)).map(|name| (*name).to_owned()).collect();
        let preset = |name: &str| !rules::presets(&agent.tool_rules, &state.trail, name).is_empty();
        let unseen = names.iter().filter(|name| preset(name)).map(|name| (*name).to_owned()).collect();
        let id = MessageId::from_uuid(self.core.env.uuid());
        let mut request = Message::new(id, self.agent.clone(), MessageRole::Approval, message.created_at);
        request.step_id.clone_from(&message.step_id);
        request.run_id.clone_from(&message.run_id);
        request.model.clone_from(&message.model);
        let guard = Guard { message: request, names: guarded, unseen };
        state.offer = offer;
        state.guard = guard;
    }

    /// Whether the client runs the tool.
    pub(super) fn is_clients(&self, name: &str) -> bool {
        self.client_tools.iter().any(|tool| tool.name == name)
    }

    /// Puts preset arguments into the model's calls, takes those out that wait, and answers those that rules forbid.
    pub(super) fn sort_calls(&self, state: &State, message: &mut Message) -> Sorted {
        let rules = &state.agent.tool_rules;
        let mut sorted = Sorted { request: None, settled: Vec::new() };
        if rules.is_empty() && self.client_tools.is_empty() {
            return sorted;
        }
        let names = state.tool_names();
        let (mut free, mut waiting) = (Vec::new(), Vec::new());
        let mut counted: Vec<String> = Vec::new();
        for mut call in message.tool_calls.take().unwrap_or_default() {
            let name = call.function.name.clone();
            let before = counted.iter().filter(|other| **other == name).count();
            let spent = rules::limit(rules, &name).is_some_and(|limit| state.trail.count(&name) + before >= limit);
            if !names.contains(&name.as_str()) || !state.offer.allows(&name) || spent {
                sorted.settled.push(Some(refusal(&call, state.offer.refusal(&name, &names))));
                free.push(call);
                continue;
            }
            rules::fill(&mut call, rules::presets(rules, &state.trail, &name));
            if state.guard.names.contains(&name) {
                waiting.push(call);
            } else {
                sorted.settled.push(None);
                free.push(call);
            }
            counted.push(name);
        }
        message.tool_calls = (!free.is_empty()).then_some(free);
        if !waiting.is_empty() {
            let mut request = state.guard.message.clone();
            request.tool_calls = Some(waiting);
            sorted.request = Some(request);
        }
        sorted
    }
}
