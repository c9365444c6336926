//! The messages in agents' context windows, kept in memory between turns.
//!
//! An entry is only used when the agent's row still has the version under which it was kept, so another replica's
//! write is always noticed. The cost of a turn then does not depend on how long its history is.

use std::sync::Arc;

use mneme_domain::{AgentId, Timestamp, message::Message};
use mneme_memo::{Bounds, Memo};

/// Bytes of message text that the cache may hold, roughly.
const CAPACITY: u64 = 64 << 20;

/// The messages of one context window without the system message, oldest first.
#[derive(Debug, Clone)]
pub struct CachedContext {
    /// The version of the agent's row that this belongs to.
    pub version: i64,
    /// The system message.
    pub system: Arc<Message>,
    /// The others, in order.
    pub messages: Vec<Arc<Message>>,
    /// Tokens of the whole context as the provider last counted them, its answer included.
    pub tokens: Option<u64>,
    /// Messages of the agent in all, in view or not.
    pub total: i64,
    /// When the memory blocks were last seen to change.
    pub memory_changed: Timestamp,
}

/// Contexts by agent.
pub struct ContextCache(Memo<AgentId, Arc<CachedContext>>);

impl Default for ContextCache {
    fn default() -> Self {
        let weigh = |_: &AgentId, context: &Arc<CachedContext>| {
            let text: usize = context.messages.iter().map(|message| weight(message)).sum();
            text + 512
        };
        Self(Memo::weighing(Bounds::of(CAPACITY), weigh))
    }
}

fn weight(message: &Message) -> usize {
    let calls: usize = message.tool_calls.iter().flatten().map(|call| call.function.arguments.len() + 100).sum();
    let returns: usize =
        message.tool_returns.iter().map(|one| one.func_response.as_ref().map_or(0, String::len) + 100).sum();
    600 + message.text().len() + calls + returns
}

impl ContextCache {
    /// The context, if it belongs to this version of the agent.
    pub fn get(&self, agent: &AgentId, version: i64) -> Option<Arc<CachedContext>> {
        self.0.get(agent).filter(|context| context.version == version)
    }

    /// Keeps a context.
    pub fn put(&self, agent: &AgentId, context: CachedContext) {
        self.0.insert(agent.clone(), Arc::new(context));
    }

    /// Forgets a context.
    pub fn forget(&self, agent: &AgentId) {
        self.0.remove(agent);
    }
}
