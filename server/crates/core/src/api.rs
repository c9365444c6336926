//! The server's own API as a tool reaches it: in the process, with the rights of the agent's owner.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use mneme_domain::{Actor, AgentId};
use mneme_sandbox::{ApiRequest, ApiResponse, HostError};

use crate::Core;

/// How many agents may call each other, one inside the other's tool call.
const MAX_CHAIN: usize = 8;

/// Who sends a request from inside a tool.
#[derive(Debug, Clone)]
pub struct ToolCaller {
    /// The owner of the agent.
    pub actor: Actor,
    /// The agents whose tool calls wait for this request, the first one first.
    pub chain: Arc<[AgentId]>,
}

tokio::task_local! {
    static CHAIN: Arc<[AgentId]>;
}

impl ToolCaller {
    /// Runs the request's work, so that turns in it know which agents wait for them.
    pub async fn scope<T>(&self, work: impl Future<Output = T>) -> T {
        CHAIN.scope(self.chain.clone(), work).await
    }
}

/// The agents whose tool calls wait for what runs now.
pub(crate) fn chain() -> Arc<[AgentId]> {
    CHAIN.try_with(Arc::clone).unwrap_or_default()
}

/// Whether what runs now was asked for by a tool.
pub(crate) fn inside_tool() -> bool {
    CHAIN.try_with(|_| ()).is_ok()
}

/// Answers requests to the API without the network. The server puts it in place.
#[async_trait]
pub trait ApiDoor: Send + Sync {
    /// Answers one request.
    async fn answer(&self, caller: ToolCaller, request: ApiRequest) -> ApiResponse;
}

/// The place for the door.
pub(crate) type DoorPlace = OnceLock<Arc<dyn ApiDoor>>;

impl Core {
    /// Puts the door in place. The first one stays.
    pub fn open_door(&self, door: Arc<dyn ApiDoor>) {
        if self.door.set(door).is_err() {
            tracing::warn!("the API has a door for tools already");
        }
    }

    /// Answers a request that a tool sent.
    pub(crate) async fn answer_tool(
        &self,
        actor: &Actor,
        chain: &[AgentId],
        request: ApiRequest,
    ) -> Result<ApiResponse, HostError> {
        let Some(door) = self.door.get() else {
            return Err(HostError::Unavailable("The API is not ready for tools yet".into()));
        };
        if chain.len() > MAX_CHAIN {
            return Err(HostError::Denied(format!("More than {MAX_CHAIN} agents wait for each other already")));
        }
        Ok(door.answer(ToolCaller { actor: actor.clone(), chain: chain.into() }, request).await)
    }
}
