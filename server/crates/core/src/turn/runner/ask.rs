//! What the model is asked: the system prompt kept fresh, the context kept short enough, bad answers asked for again.

use std::sync::Arc;

use mneme_domain::{content::ContentPart, message::Message};
use mneme_llm::LlmError;

use super::{
    super::{
        answer,
        model_call::{self, Answer},
        thoughts,
    },
    State, Turn,
};
use crate::{
    Result,
    context::{clip, history, prompt},
};

/// How often a model may answer nothing, or nothing usable, before the turn ends.
const BAD_ANSWERS: usize = 3;
/// How often the context is made smaller for one step before the provider's refusal is final.
const COMPACTIONS: usize = 4;

impl Turn {
    /// Writes the system prompt anew when memory changed or its time is stale. Returns whether it did.
    ///
    /// What tags there are counts as memory for an agent that searches by them, but not in the middle of a turn: what it
    /// kept itself it has in view.
    pub(super) async fn refresh_prompt(&self, state: &mut State) -> Result<bool> {
        let now = self.core.env.now();
        let written = state.context.system.updated_at.unwrap_or(state.context.system.created_at);
        let blocks = state.working.lock().blocks();
        // An agent without folders, as most are, costs no look at the database.
        let files = match state.reads_files {
            true => {
                let mut conn = self.core.store.read().await?;
                self.core.files_section(&mut conn, &self.actor, &state.agent).await?
            }
            false => String::new(),
        };
        let fixed = prompt::fixed_part(&state.agent.system, &blocks, &state.agent.tool_rules, &files);
        let age = (now - written).to_std().unwrap_or_default();
        let current = state.context.system.text();
        let memory_same = prompt::is_current(&current, &fixed);
        let fresh = memory_same && age < self.core.config.prompt_refresh;
        let archivist = state.tools.iter().any(|tool| tool.call_name().starts_with("archival_memory_"));
        if fresh && (state.pending.is_empty() || !archivist) {
            return Ok(false);
        }
        let mut conn = self.core.store.read().await?;
        let (memories, tags) =
            self.core.memory_overview(&mut conn, &self.actor, &self.agent, prompt::TAGS_READ).await?;
        drop(conn);
        if fresh && prompt::tells_tags(&current, &tags) {
            return Ok(false);
        }
        if !memory_same {
            state.context.memory_changed = now;
        }
        let in_view = i64::try_from(state.context.messages.len()).unwrap_or(i64::MAX);
        let facts = prompt::Facts {
            now,
            memory_changed: state.context.memory_changed,
            recall_messages: (state.context.total - in_view - 1).max(0),
            timezone: state.agent.timezone.as_deref().unwrap_or("UTC"),
            memories,
            tags: &tags,
        };
        let mut system = (*state.context.system).clone();
        system.content = vec![ContentPart::text(prompt::join(&fixed, facts))];
        system.updated_at = Some(now);
        state.context.system = Arc::new(system);
        Ok(true)
    }

    /// Calls the model until it gives a usable answer, making room in the context when that is what it lacks.
    pub(super) async fn ask(&self, state: &mut State, message: &Message) -> Result<Answer> {
        let aloud = thoughts::asked(&state.agent);
        let mut bad = 0;
        let mut compactions = 0;
        let mut clipped = 0;
        let mut blind = false;
        if self.core.is_too_long(&state.agent, &state.context, &state.pending, &state.specs) {
            compactions += 1;
            self.compact(state).await?;
            clipped = self.core.clip_level(&state.agent, &state.context, &state.pending, &state.specs);
        }
        loop {
            let provider = self.core.models.provider_of(&state.agent.llm_config)?;
            let system = state.context.system.text();
            let messages = state.context.messages.iter().map(|message| &**message).chain(&state.pending);
            let mut chat = history::to_chat(&system, messages);
            clip::texts(&mut chat, state.agent.llm_config.context_window, clipped);
            let saw = blind && clip::images(&mut chat);
            let mut request = model_call::request(&state.agent, chat, state.specs.clone());
            state.offer.apply(&mut request);
            let client = self.core.models.client();
            match model_call::call(client, provider, &request, message, &state.guard, aloud, &self.sink).await {
                Ok(answer) if answer::is_empty(&answer.completion) && bad + 1 < BAD_ANSWERS => bad += 1,
                Ok(answer) => return Ok(answer),
                Err(LlmError::ContextOverflow { .. }) if compactions < COMPACTIONS => {
                    compactions += 1;
                    if !self.compact(state).await? {
                        compactions = COMPACTIONS;
                        clipped += 1;
                    }
                }
                Err(LlmError::ContextOverflow { .. }) if clipped < clip::LEVELS => clipped += 1,
                Err(LlmError::BadRequest { message, .. }) if !blind && !saw && speaks_of_images(&message) => {
                    blind = true
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Returns whether anything could leave.
    async fn compact(&self, state: &mut State) -> Result<bool> {
        let compacted = self.core.compact(&self.actor, &state.agent, &state.context, &state.specs).await?;
        if let Some(context) = compacted {
            state.agent.version = context.version;
            state.context = context;
            return Ok(true);
        }
        Ok(false)
    }
}

/// Whether a provider's refusal is about images: the next try then goes without them.
fn speaks_of_images(message: &str) -> bool {
    let message = message.to_lowercase();
    ["image", "vision", "multimodal", "multi-modal"].iter().any(|word| message.contains(word))
}
