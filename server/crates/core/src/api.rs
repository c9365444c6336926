//! The server's own API as a tool reaches it: in the process, with the rights of the agent's owner.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use mneme_domain::{Actor, AgentId};
use mneme_macros::boxed;
use mneme_sandbox::{ApiRequest, ApiResponse, HostError};

use crate::Core;

/// How many agents may call each other, one inside the other's tool call.
const MAX_CHAIN: usize = 8;
/// How many messages may follow from one, agent to agent, whether or not anybody waits.
const MAX_HOPS: usize = 24;

/// What led to a piece of work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// The agents whose tool calls wait for it, the first one first.
    pub waiting: Vec<AgentId>,
    /// Messages between agents that led to it and for which nobody waits.
    pub hops: usize,
    /// Whether it is the work of a sleep-time agent, which wakes no other.
    pub asleep: bool,
    /// Whether a tool asks for it, whoever runs the tool.
    pub by_tool: bool,
}

impl Chain {
    /// The same with one more agent that waits.
    pub fn with(&self, agent: &AgentId) -> Self {
        let mut waiting = self.waiting.clone();
        waiting.push(agent.clone());
        Self { waiting, ..*self }
    }

    /// What begins now and is not waited for.
    pub fn let_go(&self) -> Self {
        Self { waiting: Vec::new(), hops: self.hops + self.waiting.len(), ..*self }
    }

    /// Why the chain may not go on.
    fn too_long(&self) -> Option<String> {
        if self.waiting.len() > MAX_CHAIN {
            return Some(format!("More than {MAX_CHAIN} agents wait for each other already"));
        }
        let hops = self.hops + self.waiting.len();
        (hops > MAX_HOPS).then(|| format!("More than {MAX_HOPS} messages between agents have followed from one"))
    }
}

/// Who sends a request from inside a tool.
#[derive(Debug, Clone)]
pub struct ToolCaller {
    /// The owner of the agent.
    pub actor: Actor,
    /// What led to the request.
    pub chain: Arc<Chain>,
}

tokio::task_local! {
    static CHAIN: Arc<Chain>;
}

#[boxed]
impl ToolCaller {
    /// Runs the request's work, so that turns in it know what led to them.
    pub async fn scope<T>(&self, work: impl Future<Output = T>) -> T {
        CHAIN.scope(self.chain.clone(), work).await
    }
}

/// What led to what runs now.
pub(crate) fn chain() -> Arc<Chain> {
    CHAIN.try_with(Arc::clone).unwrap_or_default()
}

/// Whether what runs now was asked for by a tool.
pub(crate) fn inside_tool() -> bool {
    CHAIN.try_with(|chain| chain.by_tool).unwrap_or_default()
}

/// Work that may move to another task and still knows what led to it.
pub(crate) fn carry<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    CHAIN.scope(chain(), work)
}

/// Work of sleep-time agents.
pub(crate) async fn asleep<T>(work: impl Future<Output = T>) -> T {
    let chain = Chain { asleep: true, ..Chain::default() };
    CHAIN.scope(Arc::new(chain), work).await
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
        chain: &Arc<Chain>,
        request: ApiRequest,
    ) -> Result<ApiResponse, HostError> {
        let Some(door) = self.door.get() else {
            return Err(HostError::Unavailable("The API is not ready for tools yet".into()));
        };
        if let Some(reason) = chain.too_long() {
            return Err(HostError::Denied(reason));
        }
        let chain = Arc::new(Chain { by_tool: true, waiting: chain.waiting.clone(), ..**chain });
        Ok(door.answer(ToolCaller { actor: actor.clone(), chain }, request).await)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn chains_end_whether_or_not_anybody_waits() {
        let agent = AgentId::from_uuid(Uuid::nil());
        let mut chain = Chain::default();
        for _ in 0..MAX_CHAIN {
            chain = chain.with(&agent);
        }
        assert_eq!(chain.too_long(), None);
        assert!(chain.with(&agent).too_long().is_some_and(|reason| reason.contains("wait for each other")));
        let mut chain = Chain::default();
        for _ in 0..MAX_HOPS {
            chain = chain.with(&agent).let_go();
        }
        assert_eq!((chain.too_long(), chain.hops), (None, MAX_HOPS));
        assert!(chain.with(&agent).too_long().is_some_and(|reason| reason.contains("have followed from one")));
    }
}
