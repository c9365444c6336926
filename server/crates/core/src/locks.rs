//! One turn at a time for each agent of this process; later ones queue in the order they came.

use std::{collections::HashMap, sync::Arc};

use mneme_domain::AgentId;
use mneme_macros::boxed;
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The locks of agents that have a turn under way or waiting.
#[derive(Default)]
pub struct AgentLocks(Arc<Mutex<HashMap<AgentId, Arc<AsyncMutex<()>>>>>);

/// An agent's turn. Dropping it lets the next one begin.
pub struct AgentGuard {
    locks: Arc<Mutex<HashMap<AgentId, Arc<AsyncMutex<()>>>>>,
    agent: AgentId,
    guard: Option<OwnedMutexGuard<()>>,
}

#[boxed]
impl AgentLocks {
    fn of(&self, agent: &AgentId) -> Arc<AsyncMutex<()>> {
        self.0.lock().entry(agent.clone()).or_default().clone()
    }

    /// Takes the agent's turn when nobody has it.
    pub fn try_lock(&self, agent: &AgentId) -> Option<AgentGuard> {
        let guard = self.of(agent).try_lock_owned().ok()?;
        Some(AgentGuard { locks: self.0.clone(), agent: agent.clone(), guard: Some(guard) })
    }

    /// Waits for the agent's turn.
    pub async fn lock(&self, agent: &AgentId) -> AgentGuard {
        let guard = self.of(agent).lock_owned().await;
        AgentGuard { locks: self.0.clone(), agent: agent.clone(), guard: Some(guard) }
    }
}

impl Drop for AgentGuard {
    fn drop(&mut self) {
        self.guard = None;
        let mut locks = self.locks.lock();
        // Only the map holds the lock now: nobody waits, and nobody can begin to while the map is locked.
        if locks.get(&self.agent).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            locks.remove(&self.agent);
        }
    }
}
