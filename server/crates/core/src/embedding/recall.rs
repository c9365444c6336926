//! Vectors of messages: made in the background, some time after what was said is written. No turn waits for them.
//!
//! Agents that said something wait in a list; one task goes through it, agent by agent, and ends when it is empty. What a
//! crash or a provider that was away left without a vector is made up with the agent's next message, or the next search.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use mneme_domain::{Actor, AgentId};
use mneme_store::{agents, messages};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

use super::Haste;
use crate::{Core, Result, failpoint, supervise::guarded};

/// How long an agent waits: what is said within this time is embedded together, and not while its turn is under way.
const GATHER: Duration = Duration::from_secs(3);
/// Between two agents: the background does not take more than a part of a core.
const PAUSE: Duration = Duration::from_millis(20);
/// Messages embedded at a time.
const BATCH: u32 = 64;
/// Agents that wait; more are taken up with their next message.
const MOST_WAITING: usize = 10_000;
/// Agents whose last message with a vector is remembered.
const MOST_REMEMBERED: usize = 50_000;

/// Which agents have messages without vectors.
#[derive(Default)]
pub(crate) struct Recall(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: VecDeque<(Actor, AgentId, Instant)>,
    /// The agents of `waiting`: every turn asks at its end whether its agent is there.
    listed: HashSet<AgentId>,
    /// The place of the last message that was looked at. Without one all are looked at: a crash may have come between an
    /// edit and its vector.
    seen: HashMap<AgentId, i64>,
    /// How often somebody wanted an agent's messages looked at again.
    again: u64,
    working: bool,
}

impl Recall {
    /// Adds an agent; true when nobody is at work on the list.
    fn add(&self, actor: &Actor, agent: &AgentId) -> bool {
        let mut state = self.0.lock();
        if state.waiting.len() < MOST_WAITING && !state.listed.contains(agent) {
            state.listed.insert(agent.clone());
            state.waiting.push_back((actor.clone(), agent.clone(), Instant::now() + GATHER));
        }
        !std::mem::replace(&mut state.working, true)
    }

    /// The next agent, and when its turn comes; with none the work is over.
    fn next(&self) -> Option<(Actor, AgentId, Instant)> {
        let mut state = self.0.lock();
        let next = state.waiting.pop_front();
        if let Some((_, agent, _)) = &next {
            state.listed.remove(agent);
        }
        state.working = next.is_some();
        next
    }

    /// Where to go on with an agent, and what to bring to [`Self::advance`].
    fn begin(&self, agent: &AgentId) -> (i64, u64) {
        let state = self.0.lock();
        (state.seen.get(agent).copied().unwrap_or_default(), state.again)
    }

    /// Notes how far an agent's messages were looked at, unless somebody wanted some looked at again meanwhile.
    fn advance(&self, agent: &AgentId, place: i64, again: u64) {
        let mut state = self.0.lock();
        if state.again != again {
            return;
        }
        if state.seen.len() >= MOST_REMEMBERED {
            state.seen.clear();
        }
        state.seen.insert(agent.clone(), place);
    }

    /// Has all of an agent's messages looked at again.
    fn start_over(&self, agent: &AgentId) {
        let mut state = self.0.lock();
        state.again += 1;
        state.seen.remove(agent);
    }
}

impl Core {
    /// Notes that an agent has new messages.
    pub(crate) fn recall_later(self: &Arc<Self>, actor: &Actor, agent: &AgentId) {
        if self.closing.is_cancelled() || !self.config.embed_messages || !self.recall.add(actor, agent) {
            return;
        }
        let core = Arc::clone(self);
        self.tasks.spawn(async move {
            let work = async {
                while let Some((actor, agent, due)) = core.recall.next() {
                    sleep_until(due).await;
                    let recalled = guarded("the embedding of messages", core.recall_agent(&actor, &agent)).await;
                    if let Err(error) = recalled.flatten() {
                        tracing::warn!(%agent, %error, "messages could not be embedded; they are found by their words");
                    }
                    sleep(PAUSE).await;
                }
            };
            tokio::select! {
                () = core.closing.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Notes that some message of an agent was edited, or that its model is another one: all of them are looked at again.
    pub(crate) fn recall_again(self: &Arc<Self>, actor: &Actor, agent: &AgentId) {
        self.recall.start_over(agent);
        self.recall_later(actor, agent);
    }

    /// Gives every message of an agent its vector.
    async fn recall_agent(self: &Arc<Self>, actor: &Actor, agent: &AgentId) -> Result<()> {
        let (mut place, again) = self.recall.begin(agent);
        let mut conn = self.store.read().await?;
        let Some(config) = agents::get(&mut conn, actor, agent).await?.and_then(|agent| agent.embedding_config) else {
            return Ok(());
        };
        drop(conn);

        loop {
            let found =
                messages::said_after(&mut self.store.read().await?, actor, agent, config.name(), place, BATCH).await?;
            let Some(last) = found.last() else { return Ok(()) };
            place = last.seq;
            let texts: Vec<String> = found.iter().map(|message| message.text.clone()).collect();
            let vectors = self.vectors_for(Haste::WhenIdle, actor, &config, &texts).await?;
            let made: Vec<_> = found.into_iter().zip(vectors).collect();
            let mut tx = self.store.write().await?;
            messages::embed(&mut tx, actor, agent, config.name(), &made).await?;
            failpoint::hit("messages.unembedded");
            tx.commit().await?;
            failpoint::hit("messages.embedded");
            self.recall.advance(agent, place, again);
            self.tidy_vectors();
            sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use mneme_domain::Env;

    use super::*;

    #[test]
    fn an_agent_waits_once_and_one_task_is_at_work() {
        let recall = Recall::default();
        let (actor, env) = (Actor::default_admin(), Env::system());
        let (one, two) = (AgentId::from_uuid(env.uuid()), AgentId::from_uuid(env.uuid()));
        assert!(recall.add(&actor, &one));
        assert!(!recall.add(&actor, &one) && !recall.add(&actor, &two));
        assert_eq!(recall.next().map(|(_, agent, _)| agent), Some(one.clone()));
        assert!(!recall.add(&actor, &one), "the one task is still at work");
        assert_eq!(recall.next().map(|(_, agent, _)| agent), Some(two));
        assert_eq!(recall.next().map(|(_, agent, _)| agent), Some(one.clone()), "what was taken up may wait again");
        assert!(recall.next().is_none());
        assert!(recall.add(&actor, &one), "the work was over");
    }

    #[test]
    fn an_edit_during_the_work_is_not_forgotten() {
        let (recall, agent) = (Recall::default(), AgentId::from_uuid(Env::system().uuid()));
        let (place, again) = recall.begin(&agent);
        assert_eq!(place, 0);
        recall.advance(&agent, 7, again);
        let (place, again) = recall.begin(&agent);
        assert_eq!(place, 7);
        recall.start_over(&agent);
        recall.advance(&agent, 9, again);
        assert_eq!(recall.begin(&agent).0, 0, "what was edited lies before the ninth");
    }
}
