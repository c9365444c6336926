//! Room in the context in the middle of a turn, and what the client hears of it.

use mneme_domain::{JsonObject, MessageId, StepId, compaction::CompactionStats, envelope::Body};

use super::{State, Turn};
use crate::{Result, context::compact};

/// The provider refused a request as too long.
pub(super) const REFUSED: &str = "context_window_exceeded";
/// It would have.
pub(super) const FORESEEN: &str = "pre_step_context_check";

impl Turn {
    /// Takes older messages out of the context, a summary in their place. Returns whether any could leave.
    pub(super) async fn make_room(
        &self,
        state: &mut State,
        step: Option<&StepId>,
        trigger: &'static str,
    ) -> Result<bool> {
        let told = self.sink.config().include_compaction_messages && compact::may_leave(&state.context);
        let window = state.agent.llm_config.context_window;
        let (tokens, count) = (state.context.tokens, state.context.messages.len() + 1);
        if told {
            let mut data = JsonObject::new();
            data.insert("trigger".into(), trigger.into());
            data.insert("context_token_estimate".into(), tokens.into());
            data.insert("context_window".into(), window.into());
            let (id, now) = (MessageId::from_uuid(self.core.env.uuid()), self.core.env.now());
            let body = Body::Event { event_type: "compaction", event_data: data };
            self.sink.compaction(id, now, step.cloned(), body).await;
        }
        let compacted = self.core.compact(&self.actor, &state.agent, &state.context, &state.specs, None, None).await?;
        let Some(context) = compacted else { return Ok(false) };
        if told && let Some(note) = context.messages.first() {
            let stats = CompactionStats {
                trigger,
                context_tokens_before: tokens,
                context_tokens_after: Some(compact::tokens_of(&context)),
                context_window: window,
                messages_count_before: count,
                messages_count_after: context.messages.len() + 1,
            };
            let body = Body::Summary { summary: compact::summary(&context), compaction_stats: Some(stats) };
            self.sink.compaction(note.id.clone(), note.created_at, step.cloned(), body).await;
        }
        state.agent.version = context.version;
        state.context = context;
        Ok(true)
    }
}
