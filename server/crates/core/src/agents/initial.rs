//! The messages that an agent's history begins with, after the system message.
//!
//! Agents of the older architectures begin with one exchange of their own, so that a model has seen how it is to speak
//! before its first answer; an empty `initial_message_sequence` leaves it out.

use mneme_domain::{
    MessageId,
    agent::{Agent, AgentType},
    content::ContentPart,
    message::{Message, MessageRole, StoredToolCall, StoredToolReturn, ToolStatus},
    request::{InputRole, MessageCreate},
    run::RequestConfig,
};
use serde_json::json;

use crate::{
    Core,
    turn::{input, thoughts},
};

/// What an agent thinks and says before anybody has spoken to it.
const FIRST_THOUGHT: &str = "I am awake. I say a word, to see that what I send arrives.";
const FIRST_WORDS: &str = "Hello, I am here.";
/// What the answering tool returns.
const SENT: &str = "Sent message.";

impl Core {
    /// The messages that a new agent begins with.
    pub(super) fn first_messages(&self, agent: &Agent, given: Option<Vec<MessageCreate>>) -> Vec<Message> {
        let Some(given) = given else {
            return if wakes(agent.agent_type) { self.default_messages(agent) } else { Vec::new() };
        };
        let mut all = Vec::new();
        for create in given {
            let spoken = create.role == InputRole::Assistant && thoughts::acts_by_tools(agent.agent_type);
            let message = input::to_message(&self.env, &agent.id, None, create);
            match spoken {
                // It has spoken in the way that it will speak.
                true => all.extend(self.spoken(agent, None, &message.text(), message.otid)),
                false => all.push(message),
            }
        }
        all
    }

    /// The messages that an agent begins with unless its creator gives others; also after a reset that asks for them.
    pub(crate) fn default_messages(&self, agent: &Agent) -> Vec<Message> {
        let mut all = Vec::new();
        if wakes(agent.agent_type) {
            all.extend(self.spoken(agent, Some(FIRST_THOUGHT), FIRST_WORDS, None));
        }
        all.push(self.login_message(&agent.id, agent.timezone.as_deref()));
        all
    }

    /// A call of the answering tool and its return.
    fn spoken(&self, agent: &Agent, thought: Option<&str>, words: &str, otid: Option<String>) -> [Message; 2] {
        let new = |role| Message::new(MessageId::from_uuid(self.env.uuid()), agent.id.clone(), role, self.env.now());
        let config = RequestConfig::default();
        let id = format!("call_{}", self.env.uuid().simple());
        let mut said = new(MessageRole::Assistant);
        said.otid = otid;
        said.content = thought
            .map(|text| ContentPart::Reasoning { is_native: false, reasoning: text.into(), signature: None })
            .into_iter()
            .collect();
        let arguments = json!({config.assistant_message_tool_kwarg.as_str(): words}).to_string();
        said.tool_calls = Some(vec![StoredToolCall::new(&*id, &*config.assistant_message_tool_name, arguments)]);
        let mut returned = new(MessageRole::Tool);
        returned.tool_call_id = Some(id.clone());
        returned.name = Some(config.assistant_message_tool_name);
        returned.tool_returns = vec![StoredToolReturn {
            tool_call_id: Some(id),
            status: ToolStatus::Success,
            stdout: None,
            stderr: None,
            func_response: Some(SENT.into()),
        }];
        [said, returned]
    }
}

/// Whether agents of an architecture begin with an exchange of their own.
fn wakes(agent_type: AgentType) -> bool {
    matches!(agent_type, AgentType::MemgptAgent | AgentType::MemgptV2Agent | AgentType::SplitThreadAgent)
}
