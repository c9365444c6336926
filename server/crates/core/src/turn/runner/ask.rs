//! What the model is asked: the system prompt kept fresh, the context kept short enough, bad answers asked for again.

use std::sync::Arc;

use mneme_domain::{MessageId, agent::Agent, content::ContentPart, message::Message};
use mneme_llm::{LlmError, Usage};

use super::{
    super::{
        answer,
        desk::Desk,
        fallback,
        model_call::{self, Answer, Called, Failed, Served},
        thoughts,
    },
    State, Turn, room,
};
use crate::{
    CoreError, Result,
    context::{buffer, clip, history, prompt},
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

    /// Calls the model until it gives a usable answer, making room in the context when that is what it lacks. None when
    /// the answer comes later, with a batch.
    pub(super) async fn ask(&self, state: &mut State, message: &mut Message) -> Result<Option<Answer>> {
        let (aloud, step) = (thoughts::asked(&state.agent), message.step_id.clone());
        let desk = self.desk.as_deref().filter(|desk| !desk.direct);
        let mut bad = desk.map_or(0, Desk::bad);
        // What answers cost that nobody sees.
        let mut spent: Option<Usage> = None;
        let mut compactions = 0;
        let mut clipped = desk.map_or(0, Desk::clipped);
        let mut blind = false;
        // What the model was asked before its answer came was short enough.
        let answered = desk.is_some_and(Desk::has_answer);
        let surplus = buffer::surplus(state.agent.agent_type, &state.context.messages, state.pending.len());
        if let Some(cut) = surplus {
            let context = self.core.let_leave(&self.actor, &state.agent, &state.context, cut, None).await?;
            state.agent.version = context.version;
            state.context = context;
        }
        if !answered && self.core.is_too_long(&state.agent, &state.context, &state.pending, &state.specs) {
            compactions += 1;
            self.make_room(state, step.as_ref(), room::FORESEEN).await?;
            clipped = clipped.max(self.core.clip_level(&state.agent, &state.context, &state.pending, &state.specs));
        }
        // A batch's answers come from the model that was asked.
        let others = if desk.is_some() { Vec::new() } else { fallback::handles(&state.agent) };
        let mut others = others.into_iter();
        let mut other: Option<Agent> = None;
        loop {
            let agent = other.as_ref().unwrap_or(&state.agent);
            let provider = match self.core.provider_of(&self.actor, &agent.llm_config).await {
                Ok(provider) => provider,
                Err(error @ CoreError::Invalid(_)) => {
                    other = Some(self.next_model(state, &mut others, error).await?);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let system = self.told.over(state.context.system.text());
            let messages = state.context.messages.iter().map(|message| &**message).chain(&state.pending);
            let mut chat = history::to_chat(&system, messages);
            clip::texts(&mut chat, agent.llm_config.context_window, clipped);
            if blind {
                clip::images(&mut chat);
            }
            let shows = clip::shows_images(&chat);
            let mut request = model_call::request(agent, chat, state.specs.clone());
            state.offer.apply(&mut request);
            self.told.apply(&mut request);
            let client = self.core.models.client();
            let called = match desk.map(|desk| (desk, desk.take())) {
                Some((_, Some(given))) => given,
                Some((desk, None)) => {
                    let body = client.batch_body(&provider, &request);
                    desk.leave(state.usage.step_count, &agent.llm_config, body)?;
                    return Ok(None);
                }
                None => model_call::call(client, &provider, &request, message, &state.guard, aloud, &self.sink).await,
            };
            let Failed { error, begun } = match called {
                Ok(Called { completion, shown, .. })
                    if answer::is_empty(&completion)
                        && fallback::worth_asking_again(&completion.finish)
                        && bad + 1 < BAD_ANSWERS =>
                {
                    bad += 1;
                    spent = together(spent, completion.usage);
                    // What was shown of it is not to be taken for the beginning of the next one.
                    if !shown.is_empty() {
                        message.id = MessageId::from_uuid(self.core.env.uuid());
                    }
                    continue;
                }
                Ok(Called { mut completion, took, shown }) => {
                    completion.usage = together(spent, completion.usage);
                    let usage = completion.usage.as_ref();
                    let prices = &self.core.config.prices;
                    let cost = usage.and_then(|usage| prices.cost(&provider, &agent.llm_config.model, usage));
                    let served = Served { config: agent.llm_config.clone(), cost };
                    let ttft = completion.ttft;
                    desk.inspect(|desk| desk.settle());
                    return Ok(Some(Answer { completion, took, ttft, shown, served }));
                }
                Err(failed) => failed,
            };
            match error {
                LlmError::ContextOverflow { .. } if compactions < COMPACTIONS => {
                    compactions += 1;
                    if !self.make_room(state, step.as_ref(), room::REFUSED).await? {
                        compactions = COMPACTIONS;
                        clipped += 1;
                    }
                }
                LlmError::ContextOverflow { .. } if clipped < clip::LEVELS => clipped += 1,
                error if shows && !begun && refuses_images(&error) => blind = true,
                error if fallback::helps(&error) && !begun => {
                    other = Some(self.next_model(state, &mut others, error.into()).await?);
                }
                error => return Err(error.into()),
            }
        }
    }

    /// The agent as the next of its other models serves it, or the error when none is left. Those that are not there
    /// are passed over.
    async fn next_model(
        &self,
        state: &State,
        others: &mut std::vec::IntoIter<String>,
        error: CoreError,
    ) -> Result<Agent> {
        for handle in others {
            match self.core.served_by(&self.actor, &state.agent, &handle).await {
                Ok(agent) => {
                    tracing::warn!(agent = %self.agent, %error, handle, "the agent's model cannot answer; another does");
                    return Ok(agent);
                }
                Err(reason) => {
                    tracing::warn!(agent = %self.agent, %reason, handle, "a fallback model cannot be used");
                }
            }
        }
        Err(error)
    }
}

fn together(one: Option<Usage>, two: Option<Usage>) -> Option<Usage> {
    match (one, two) {
        (Some(one), Some(two)) => Some(one.plus(two)),
        (one, two) => one.or(two),
    }
}

/// Whether a provider's refusal is about images: the next try then goes without them. Images stay in the history, so a
/// refusal that is not known for one would end the conversation for good.
fn refuses_images(error: &LlmError) -> bool {
    const WORDS: [&str; 9] = [
        "image",
        "vision",
        "multimodal",
        "multi-modal",
        // OpenAI, of formats that it does not read and addresses that it cannot fetch.
        "unsupported file",
        "error while downloading",
        // Servers that take text alone do not know what a list of parts is.
        "must be a string",
        "should be a string",
        "be a valid string",
    ];
    // OpenRouter finds no such model, llama.cpp calls it an error of its own.
    let (LlmError::BadRequest { message, .. } | LlmError::NotFound { message, .. } | LlmError::Server { message, .. }) =
        error
    else {
        return false;
    };
    let message = message.to_lowercase();
    WORDS.iter().any(|word| message.contains(word))
}
