//! Making room: older messages leave the context window and a summary takes their place. They stay in the history,
//! where conversation search finds them.
//!
//! The ladder always ends: the model sums up what leaves; when it cannot, a digest made without it serves; when the
//! rest is still too long, more leaves, down to the newest message.

use std::{sync::Arc, time::Duration};

use mneme_domain::{
    Actor, MessageId,
    agent::Agent,
    compaction::CompactionSettings,
    content::ContentPart,
    llm_config::LlmConfig,
    message::{Message, MessageRole},
};
use mneme_llm::{ChatMessage, ChatRequest, Params, Part, ToolSpec, tokens};
use mneme_store::{Conn, StoreError, agents, messages};

use super::{buffer, cache::CachedContext, clip, history};
use crate::{Core, CoreError, Result, prompts};

/// The share of the window that a context may fill before older messages leave, in percent.
const HIGH_WATER: u64 = 90;
/// How long the model may take for a summary.
const SUMMARY_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a smaller context is written again after somebody else changed the agent.
const TRIES: usize = 5;
/// What a client reads when that did not help.
const CHANGED: &str = "The agent's messages were changed while its context was made smaller; try again";
/// Characters that a digest keeps of each message.
const DIGEST_LINE: usize = 120;
/// Characters of a digest in all.
const DIGEST: usize = 2_000;
/// Characters of what is given to the model to sum up.
const SUMMARY_INPUT: usize = 60_000;

impl Core {
    /// Reads an agent's context from the store.
    pub(crate) async fn load_context(&self, conn: &mut Conn, actor: &Actor, agent: &Agent) -> Result<CachedContext> {
        let mut found = messages::get_many(conn, actor, &agent.message_ids).await?.into_iter();
        let system = match found.next() {
            Some(first) if first.role == MessageRole::System => first,
            _ => {
                return Err(CoreError::Internal(format!(
                    "the context of {} does not begin with a system message",
                    agent.id
                )));
            }
        };
        Ok(CachedContext {
            version: agent.version,
            memory_changed: system.updated_at.unwrap_or(system.created_at),
            system: Arc::new(system),
            messages: found.map(Arc::new).collect(),
            tokens: None,
            total: messages::count(conn, actor, &agent.id).await?,
        })
    }

    /// Whether a request would leave too little room for an answer.
    pub(crate) fn is_too_long(
        &self,
        agent: &Agent,
        context: &CachedContext,
        pending: &[Message],
        tools: &[ToolSpec],
    ) -> bool {
        let room = u64::from(agent.llm_config.context_window) * HIGH_WATER / 100;
        // What the provider counted ends with its last answer; what tools returned since is not in it.
        let uncounted =
            context.messages.iter().rposition(|message| message.role == MessageRole::Assistant).unwrap_or(0);
        let since = context.messages[uncounted..].iter().map(|message| &**message);
        let mut fresh = history::to_chat("", since.chain(pending));
        fresh.remove(0);
        let mut known = context.tokens.unwrap_or(0);
        let mut tools = tools;
        if context.tokens.is_some() {
            tools = &[];
        } else {
            let system = context.system.text();
            fresh = history::to_chat(&system, context.messages.iter().map(|message| &**message).chain(pending));
        }
        // Most contexts are far from full; then the exact count, and the vocabulary it needs, are spared.
        if known + tokens::upper_bound(&fresh, tools) as u64 <= room {
            return false;
        }
        known += tokens::count_messages(&fresh, tools) as u64;
        known > room
    }

    /// How far texts have to be cut for a request to fit, when nothing can leave any more; 0 when it fits.
    pub(crate) fn clip_level(
        &self,
        agent: &Agent,
        context: &CachedContext,
        pending: &[Message],
        tools: &[ToolSpec],
    ) -> u32 {
        let window = agent.llm_config.context_window;
        let room = u64::from(window) * HIGH_WATER / 100;
        let all = context.messages.iter().map(|message| &**message).chain(pending);
        let whole = history::to_chat(&context.system.text(), all);
        let fits = |level: &u32| {
            let mut chat = whole.clone();
            clip::texts(&mut chat, window, *level);
            tokens::count_messages(&chat, tools) as u64 <= room
        };
        (0..clip::LEVELS).find(fits).unwrap_or(clip::LEVELS)
    }

    /// Takes older messages out of the context and puts a summary in their place. `None` when nothing can leave. It is
    /// done as `settings` say, else as the agent's do; with `most`, that many messages stay at most.
    pub(crate) async fn compact(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &Agent,
        context: &CachedContext,
        tools: &[ToolSpec],
        settings: Option<&CompactionSettings>,
        most: Option<usize>,
    ) -> Result<Option<CachedContext>> {
        let settings = settings.or(agent.llm_config.compaction_settings.as_ref());
        let cut = match most {
            Some(most) => surplus(context, most),
            None => cut(agent, context, tools, settings),
        };
        let Some(cut) = cut else { return Ok(None) };
        let leaving = context.messages.get(..cut).unwrap_or_default();
        let summary = match self.summarize(actor, agent, leaving, settings).await {
            Some(text) => text,
            None => digest(leaving),
        };
        let mut note =
            Message::new(MessageId::from_uuid(self.env.uuid()), agent.id.clone(), MessageRole::User, self.env.now());
        let text = serde_json::json!({
            "type": "system_alert",
            "message": format!(
                "{} earlier messages are out of view now; search the conversation for details. In short: {summary}",
                leaving.len()
            ),
        });
        note.content = vec![ContentPart::text(text.to_string())];
        self.let_leave(actor, agent, context, cut, Some(note)).await.map(Some)
    }

    /// Takes the first messages out of the context, a note in their place if there is one.
    pub(crate) async fn let_leave(
        &self,
        actor: &Actor,
        agent: &Agent,
        context: &CachedContext,
        cut: usize,
        note: Option<Message>,
    ) -> Result<CachedContext> {
        let staying = context.messages.get(cut..).unwrap_or_default();
        let mut next = context.clone();
        next.messages = note.iter().cloned().map(Arc::new).chain(staying.iter().cloned()).collect();
        next.tokens = None;
        next.total += i64::from(note.is_some());
        let ids: Vec<MessageId> =
            std::iter::once(&next.system).chain(&next.messages).map(|message| message.id.clone()).collect();
        let seen: Vec<MessageId> =
            std::iter::once(&context.system).chain(&context.messages).map(|message| message.id.clone()).collect();
        let mut expected = agent.version;
        let mut tries = 0;
        let version = loop {
            let mut tx = self.store.write().await?;
            if let Some(note) = &note {
                messages::append(&mut tx, actor, std::slice::from_ref(note)).await?;
            }
            let now = self.env.now();
            match agents::touch_context(&mut tx, actor, &agent.id, &ids, expected, None, None, now).await {
                Ok(version) => {
                    tx.commit().await?;
                    break version;
                }
                Err(StoreError::Stale) if tries < TRIES => drop(tx),
                Err(StoreError::Stale) => return Err(CoreError::Conflict(CHANGED.into())),
                Err(error) => return Err(error.into()),
            }
            // A developer changed the agent meanwhile. That is no matter while its messages are the same.
            tries += 1;
            let mut conn = self.store.read().await?;
            let current = agents::get(&mut conn, actor, &agent.id).await?;
            match current.filter(|current| current.message_ids == seen && current.fence == agent.fence) {
                Some(current) => expected = current.version,
                None => return Err(CoreError::Conflict(CHANGED.into())),
            }
        };
        next.version = version;
        tracing::info!(agent = %agent.id, left = cut, kept = staying.len(), "older messages left the context");
        Ok(next)
    }

    /// Asks for a summary, the agent's model unless another is named; `None` when it cannot give one.
    async fn summarize(
        &self,
        actor: &Actor,
        agent: &Agent,
        leaving: &[Arc<Message>],
        settings: Option<&CompactionSettings>,
    ) -> Option<String> {
        let settings = settings.cloned().unwrap_or_default();
        let config = self.summarizer(actor, agent, &settings).await;
        let provider = self.provider_of(actor, &config).await.ok()?;
        let request = summary_request(agent, &config, leaving, &settings);
        let limit = settings.clip_chars.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let asked = tokio::time::timeout(SUMMARY_TIMEOUT, self.models.client().complete(&provider, &request)).await;
        match asked {
            Ok(Ok(completion)) => {
                completion.text.map(|text| cut_text(text.trim(), limit)).filter(|text| !text.is_empty())
            }
            Ok(Err(error)) => {
                tracing::warn!(agent = %agent.id, %error, "the model could not sum up; a digest serves instead");
                None
            }
            Err(_) => {
                tracing::warn!(agent = %agent.id, "the model took too long to sum up; a digest serves instead");
                None
            }
        }
    }

    /// The model that sums up.
    async fn summarizer(&self, actor: &Actor, agent: &Agent, settings: &CompactionSettings) -> LlmConfig {
        let mut config = agent.llm_config.clone();
        if let Some(handle) = settings.model.as_ref().filter(|_| !settings.mode.is_own()) {
            match self.chat_model(actor, handle).await {
                Ok(named) => config = named,
                Err(error) => {
                    tracing::warn!(agent = %agent.id, %error, handle, "the agent's own model sums up instead of another");
                }
            }
        }
        if let Some(given) = &settings.model_settings {
            given.apply(&mut config);
        }
        config
    }
}

/// What is asked of the model that sums up.
fn summary_request(
    agent: &Agent,
    config: &LlmConfig,
    leaving: &[Arc<Message>],
    settings: &CompactionSettings,
) -> ChatRequest {
    // A token has about four characters; the instructions and the answer want room too.
    let input = usize::try_from(config.context_window).unwrap_or(usize::MAX).saturating_mul(2);
    let transcript = transcript(leaving, input.min(SUMMARY_INPUT));
    let system = if settings.mode.is_own() { agent.system.as_str() } else { prompts::SUMMARIZER };
    let prompt = settings.prompt.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or(prompts::SUMMARIZE);
    let user = |text: String| ChatMessage::User { parts: vec![Part::Text(text)], name: None };
    let mut messages = vec![ChatMessage::System { text: system.to_owned() }];
    if settings.prompt_acknowledgement {
        messages.push(user(prompt.to_owned()));
        messages.push(ChatMessage::Assistant {
            text: Some(prompts::SUMMARY_PROMISE.into()),
            reasoning: Vec::new(),
            tool_calls: Vec::new(),
            name: None,
        });
        messages.push(user(transcript));
    } else {
        messages.push(user(transcript));
        messages.push(user(prompt.to_owned()));
    }
    let mut params = Params { temperature: Some(config.temperature), ..Params::default() };
    // How the agent answers is no matter here; how its summaries are to be made is.
    if let Some(given) = &settings.model_settings {
        params.max_tokens = given.max_output_tokens.filter(|limit| *limit > 0);
        params.reasoning_effort.clone_from(&config.reasoning_effort);
        params.enable_reasoner = config.enable_reasoner;
        params.max_reasoning_tokens = config.max_reasoning_tokens;
        params.verbosity.clone_from(&config.verbosity);
    }
    ChatRequest { model: config.model.clone(), messages, params, ..ChatRequest::default() }
}

/// Whether there are messages in a context that may leave it.
pub(crate) fn may_leave(context: &CachedContext) -> bool {
    context.messages.len() > 1
}

/// What stands for the messages that left a context which was just made smaller, in words.
pub(crate) fn summary(context: &CachedContext) -> String {
    let note = context.messages.first().map(|note| note.text()).unwrap_or_default();
    let alert: Option<serde_json::Value> = serde_json::from_str(&note).ok();
    alert.as_ref().and_then(|alert| alert.get("message")?.as_str()).unwrap_or_default().to_owned()
}

/// Tokens of a context's messages.
pub(crate) fn tokens_of(context: &CachedContext) -> u64 {
    let messages = context.messages.iter().map(|message| &**message);
    tokens::count_messages(&history::to_chat(&context.system.text(), messages), &[]) as u64
}

fn chat_tokens<'a>(messages: impl Iterator<Item = &'a Message>, tools: &[ToolSpec]) -> u64 {
    let mut chat = history::to_chat("", messages);
    chat.remove(0);
    tokens::count_messages(&chat, tools) as u64
}

/// How many of the oldest messages leave: as many as it takes to fit the rest into its share of the window, at least
/// one, and never so that a tool's return loses its call. Unless somebody said how it is to be done, at least half leave.
fn cut(
    agent: &Agent,
    context: &CachedContext,
    tools: &[ToolSpec],
    settings: Option<&CompactionSettings>,
) -> Option<usize> {
    let count = context.messages.len();
    if !may_leave(context) {
        return None;
    }
    let usual = CompactionSettings::default();
    let CompactionSettings { mode, sliding_window_percentage: keep, .. } = settings.unwrap_or(&usual);
    if mode.is_all() {
        return Some(buffer::whole(&context.messages, count - 1));
    }
    let window = agent.llm_config.context_window;
    let fixed = tokens::count(&context.system.text()) as u64 + chat_tokens(std::iter::empty(), tools);
    let room = u64::from(window).saturating_sub(fixed) / 2;
    let share = f64::from(window) * keep;
    let fits = |kept: u64| kept <= room && f64::from(u32::try_from(kept).unwrap_or(u32::MAX)) <= share;
    let mut kept = 0;
    let mut cut = count;
    for (index, message) in context.messages.iter().enumerate().rev() {
        kept += chat_tokens(std::iter::once(&**message), &[]);
        if !fits(kept) {
            break;
        }
        cut = index;
    }
    // A summary of a summary alone would free nothing; half leaves then.
    let least = if settings.is_some() && cut > 1 { cut } else { count.div_ceil(2) };
    let cut = cut.max(least).min(count - 1);
    Some(buffer::whole(&context.messages, cut))
}

/// How many of the oldest messages leave for so many to stay at most, the system message and the summary among them. The
/// newest stays always.
fn surplus(context: &CachedContext, most: usize) -> Option<usize> {
    let count = context.messages.len();
    if count < 2 || count < most {
        return None;
    }
    let kept = most.saturating_sub(2).max(1);
    Some(buffer::whole(&context.messages, count - kept.min(count - 1)))
}

fn line(message: &Message) -> String {
    let mut text = message.text();
    for call in message.tool_calls.iter().flatten() {
        text.push_str(&format!(" [calls {} with {}]", call.function.name, call.function.arguments));
    }
    for one in &message.tool_returns {
        text.push_str(&format!(" [returned: {}]", one.func_response.as_deref().unwrap_or_default()));
    }
    format!("{}: {}", message.role.as_str(), text.trim())
}

fn transcript(messages: &[Arc<Message>], limit: usize) -> String {
    let lines: Vec<String> = messages.iter().map(|message| cut_text(&line(message), 4_000)).collect();
    let text = lines.join("\n");
    let surplus = text.chars().count().saturating_sub(limit);
    // What is newest matters most.
    text.chars().skip(surplus).collect()
}

/// A summary made without a model: the beginning of each of the newest lines that fit.
fn digest(messages: &[Arc<Message>]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut length = 0;
    for message in messages.iter().rev() {
        let line = cut_text(&line(message), DIGEST_LINE);
        length += line.chars().count() + 1;
        if length > DIGEST {
            lines.push("(earlier messages are not shown)".into());
            break;
        }
        lines.push(line);
    }
    lines.reverse();
    lines.join("\n")
}

fn cut_text(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}
