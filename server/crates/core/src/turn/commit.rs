//! Writes a step: its messages, block edits, usage, trace and place in the context in one transaction.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, MessageId, RunId, Timestamp, ToolId,
    message::Message,
    step::{ProviderTrace, Step, StepMetrics},
};
use mneme_store::{StoreError, agents, blocks, messages, runs, runs::RunEnd, steps};

use super::host::Working;
use crate::{Core, CoreError, Result, failpoint};

/// How often a step is written again after somebody else changed the agent.
const TRIES: usize = 5;

/// A step as it is to be written.
pub struct StepRecord<'a> {
    pub agent: &'a AgentId,
    /// The context before the step.
    pub before: &'a [MessageId],
    /// The version of the agent's row that `before` was read at.
    pub version: i64,
    /// The fence that the turn was taken at.
    pub fence: i64,
    /// What the step adds, in order.
    pub added: &'a [Message],
    /// The system message, when it was written anew.
    pub system: Option<&'a Message>,
    /// The step and its measures; none when only approved calls of an earlier step ran.
    pub step: Option<(&'a Step, &'a StepMetrics, Option<&'a ProviderTrace>)>,
    pub tools_used: &'a [ToolId],
    /// The end of the run, when this is its last step.
    pub end: Option<(&'a RunId, &'a RunEnd)>,
    /// Whether the context keeps only its system message: the agent begins each turn anew.
    pub clear: bool,
    /// What the agent's row remembers of a finished run.
    pub finished: Option<(Timestamp, i64)>,
}

/// What writing a step gave.
pub enum Committed {
    /// It is written; the agent's row has this version and this context now.
    Yes { version: i64, context: Vec<MessageId> },
    /// A block that the step edits was changed by somebody else in between, taken from the agent or deleted: run its
    /// tools again.
    BlockChanged,
    /// The agent's turn was taken away: by another server, or by a cancellation there. Nothing was written.
    Lost,
}

impl Core {
    /// Writes a step whole or not at all.
    pub(crate) async fn commit_step(
        self: &Arc<Self>,
        actor: &Actor,
        record: &StepRecord<'_>,
        working: &mut Working,
    ) -> Result<Committed> {
        let mut version = record.version;
        let mut context: Vec<MessageId> = record.before.to_vec();
        for _ in 0..TRIES {
            let now = self.env.now();
            let mut tx = self.store.write().await?;
            // What only changes something goes to the database together with what gives an answer.
            tx.gather();
            let mut versions = Vec::new();
            for stored in working.changed() {
                match blocks::update_held(&mut tx, actor, record.agent, &stored.block, stored.version, now).await {
                    Ok(version) => versions.push(version),
                    Err(StoreError::Stale) => return Ok(Committed::BlockChanged),
                    Err(error) => return Err(error.into()),
                }
            }
            self.write_staged(&mut tx, actor, record.agent, working.passages()).await?;
            if let Some(system) = record.system {
                messages::update(&mut tx, actor, system).await?;
            }
            messages::append(&mut tx, actor, record.added).await?;
            if let Some((step, metrics, trace)) = record.step {
                steps::insert(&mut tx, actor, step, metrics, trace, record.tools_used).await?;
            }
            if let Some((run, end)) = record.end {
                runs::conclude(&mut tx, actor, run, end).await?;
            }
            let mut next = context.clone();
            next.extend(record.added.iter().map(|message| message.id.clone()));
            if record.clear {
                next.truncate(1);
            }
            let expected = (version, Some(record.fence));
            let touched =
                agents::touch_fenced(&mut tx, actor, record.agent, &next, expected, record.finished.unzip(), now).await;
            match touched {
                Ok(version) => {
                    failpoint::hit("step.uncommitted");
                    tx.commit().await?;
                    failpoint::hit("step.committed");
                    working.committed(&versions);
                    self.recall_later(actor, record.agent);
                    if !working.passages().is_empty() {
                        self.tidy_vectors();
                    }
                    return Ok(Committed::Yes { version, context: next });
                }
                Err(StoreError::Stale) => {
                    drop(tx);
                    // A developer changed the agent during the turn. Their change stays; the step goes on top of it.
                    let mut conn = self.store.read().await?;
                    let current = agents::get(&mut conn, actor, record.agent)
                        .await?
                        .ok_or_else(|| CoreError::missing("Agent", record.agent))?;
                    if current.fence != record.fence {
                        return Ok(Committed::Lost);
                    }
                    version = current.version;
                    context = current.message_ids;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(CoreError::Conflict("The agent was changed too often while it was working".into()))
    }
}
