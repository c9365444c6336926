//! The agent of a trial: blocks from the command line, and no history.

use async_trait::async_trait;
use mneme_domain::Env;
use mneme_sandbox::{ConversationHit, ConversationQuery, HostError, MemoryBlock, ToolHost};
use parking_lot::Mutex;

/// Characters that a block may hold.
const LIMIT: u64 = 100_000;

/// An agent made of values.
pub struct Desk {
    blocks: Mutex<Vec<MemoryBlock>>,
}

impl Desk {
    /// An agent with these blocks.
    pub fn new(blocks: Vec<(String, String)>) -> Self {
        let block = |(label, value)| MemoryBlock { label, value, description: None, limit: LIMIT, read_only: false };
        Self { blocks: Mutex::new(blocks.into_iter().map(block).collect()) }
    }
}

fn missing(label: &str) -> HostError {
    HostError::NotFound(format!("there is no block {label}; give one with --block {label}=TEXT"))
}

#[async_trait]
impl ToolHost for Desk {
    async fn blocks(&self) -> Result<Vec<MemoryBlock>, HostError> {
        Ok(self.blocks.lock().clone())
    }

    async fn block(&self, label: &str) -> Result<MemoryBlock, HostError> {
        let found = self.blocks.lock().iter().find(|block| block.label == label).cloned();
        found.ok_or_else(|| missing(label))
    }

    async fn set_block(&self, label: &str, value: String) -> Result<(), HostError> {
        let mut blocks = self.blocks.lock();
        let block = blocks.iter_mut().find(|block| block.label == label).ok_or_else(|| missing(label))?;
        eprintln!("block {label} is now: {value}");
        block.value = value;
        Ok(())
    }

    async fn search_conversation(&self, _: ConversationQuery) -> Result<Vec<ConversationHit>, HostError> {
        Ok(Vec::new())
    }

    fn agent_id(&self) -> &str {
        "agent-00000000-0000-4000-8000-000000000000"
    }

    fn timezone(&self) -> &str {
        "UTC"
    }

    fn now(&self) -> i64 {
        Env::system().now().timestamp_millis()
    }
}
