//! The host of a call that no agent makes: a person tries a tool.

use std::sync::Arc;

use async_trait::async_trait;
use mneme_domain::Actor;
use mneme_sandbox::{ApiRequest, ApiResponse, ConversationHit, ConversationQuery, HostError, MemoryBlock, ToolHost};

use crate::Core;

/// Has no memory and no history, but the API, as the person who calls.
pub struct Nobody {
    core: Arc<Core>,
    actor: Actor,
}

impl Nobody {
    /// A host for calls by `actor`.
    pub fn new(core: Arc<Core>, actor: Actor) -> Self {
        Self { core, actor }
    }
}

fn no_agent<T>() -> Result<T, HostError> {
    Err(HostError::Denied("No agent calls this tool, so there is no memory and no history".into()))
}

#[async_trait]
impl ToolHost for Nobody {
    async fn blocks(&self) -> Result<Vec<MemoryBlock>, HostError> {
        no_agent()
    }

    async fn block(&self, _: &str) -> Result<MemoryBlock, HostError> {
        no_agent()
    }

    async fn set_block(&self, _: &str, _: String) -> Result<(), HostError> {
        no_agent()
    }

    async fn search_conversation(&self, _: ConversationQuery) -> Result<Vec<ConversationHit>, HostError> {
        no_agent()
    }

    async fn api_request(&self, request: ApiRequest) -> Result<ApiResponse, HostError> {
        self.core.answer_tool(&self.actor, &Arc::default(), request).await
    }

    fn agent_id(&self) -> &str {
        ""
    }

    fn timezone(&self) -> &str {
        "UTC"
    }

    fn now(&self) -> i64 {
        self.core.env.now().timestamp_millis()
    }
}
