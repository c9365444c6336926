//! An agent that exists for one tool call: a single block of memory, no history.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use mneme_sandbox::{ConversationHit, ConversationQuery, HostError, MemoryBlock, ToolHost};

const LABEL: &str = "human";

/// The agent.
#[derive(Default)]
pub(super) struct Rehearsal {
    value: Mutex<String>,
}

impl Rehearsal {
    /// What its block holds.
    pub(super) fn memory(&self) -> String {
        self.value.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn known(label: &str) -> Result<(), HostError> {
    if label == LABEL { Ok(()) } else { Err(HostError::NotFound(format!("no block '{label}'"))) }
}

#[async_trait]
impl ToolHost for Rehearsal {
    async fn blocks(&self) -> Result<Vec<MemoryBlock>, HostError> {
        Ok(vec![self.block(LABEL).await?])
    }

    async fn block(&self, label: &str) -> Result<MemoryBlock, HostError> {
        known(label)?;
        Ok(MemoryBlock {
            label: LABEL.to_owned(),
            value: self.memory(),
            description: None,
            limit: 1000,
            read_only: false,
        })
    }

    async fn set_block(&self, label: &str, value: String) -> Result<(), HostError> {
        known(label)?;
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = value;
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
        mneme_domain::Env::system().now().timestamp_millis()
    }
}
