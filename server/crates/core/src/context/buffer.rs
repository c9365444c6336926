//! Two ways to keep a context short. Most agents evict in part: when the window is nearly full, older messages leave and
//! a summary takes their place (`compact`). Agents that speak aloud have a static buffer: a fixed number of messages,
//! and no model is asked while somebody waits for an answer. What left is found by conversation search.

use std::sync::Arc;

use mneme_domain::{
    agent::AgentType,
    message::{Message, MessageRole},
};

/// Messages that a static buffer may hold.
const MOST: usize = 30;
/// Messages that stay when it is full.
const KEPT: usize = 15;

/// How many messages leave a static buffer before a step; none of other agents.
pub fn surplus(agent_type: AgentType, messages: &[Arc<Message>], pending: usize) -> Option<usize> {
    let fixed = matches!(agent_type, AgentType::VoiceConvoAgent);
    if !fixed || messages.len() + pending <= MOST {
        return None;
    }
    let cut = (messages.len() + pending).saturating_sub(KEPT).min(messages.len());
    let cut = whole(messages, cut);
    (cut > 0).then_some(cut)
}

/// Moves a cut on to where no call is parted from its return.
pub fn whole(messages: &[Arc<Message>], mut cut: usize) -> usize {
    let returns = |message: &Message| {
        let answers = message.role == MessageRole::Approval && message.tool_calls.is_none();
        answers || matches!(message.role, MessageRole::Tool | MessageRole::Function)
    };
    while cut < messages.len() && returns(&messages[cut]) {
        cut += 1;
    }
    cut
}
