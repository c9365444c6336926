//! An agent's messages: listed, edited, cleared, previewed.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, MessageId, Order, Page,
    agent::{AgentState, Include},
    compaction::CompactionSettings,
    content::{Content, ContentPart},
    envelope::Envelope,
    message::{Message, MessageRole},
    request::{MessageEdit, MessageUpdate, SendRequest},
    run::RequestConfig,
    tool::Tool,
};
use mneme_macros::boxed;
use mneme_store::{
    agents, blocks,
    messages::{self, MessageFilter},
    tools,
};
use serde_json::Value;

use crate::{
    Core, CoreError, Result,
    context::{compact, history, prompt},
    envelope, turn,
    turn::input,
};

#[boxed]
impl Core {
    /// An agent's history. A page is empty only where nothing follows: clients take an empty one for the end of the list.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn list_messages(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        page: &Page,
        config: &RequestConfig,
        group_id: Option<&str>,
        include_err: bool,
    ) -> Result<Vec<Envelope>> {
        self.require_agent(actor, agent).await?;
        let filter = MessageFilter { group_id: group_id.map(str::to_owned), include_err, ..MessageFilter::default() };
        if config.include_return_message_types.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let limit = usize::try_from(page.limit.min(Page::MAX_LIMIT)).unwrap_or(usize::MAX);
        let mut page = page.clone();
        loop {
            let mut conn = self.store.read().await?;
            let found = messages::list(&mut conn, actor, agent, &filter, &page).await?;
            drop(conn);
            let parts = found.iter().map(|message| envelope::envelopes_of([message], config));
            let shown: Vec<Envelope> = parts.filter(|parts| !parts.is_empty()).take(limit).flatten().collect();
            let full = u32::try_from(found.len()).is_ok_and(|length| length >= page.limit.min(Page::MAX_LIMIT));
            let Some(last) = found.last().filter(|_| full && shown.is_empty()) else {
                return Ok(shown);
            };
            let cursor = Some(last.id.to_string());
            match page.order {
                Order::Asc => page.after = cursor,
                Order::Desc => page.before = cursor,
            }
            // What is wanted is rare, so the rest is looked through in large pieces.
            page.limit = Page::MAX_LIMIT;
        }
    }

    /// The messages of all the organisation's agents; cursors follow the order of the list.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_all_messages(
        self: &Arc<Self>,
        actor: &Actor,
        page: &Page,
        config: &RequestConfig,
    ) -> Result<Vec<Envelope>> {
        let mut conn = self.store.read().await?;
        let found = messages::list_all(&mut conn, actor, page).await?;
        Ok(envelope::envelopes_of(&found, config))
    }

    /// A message of any agent, in its parts.
    ///
    /// # Errors
    /// 404 for an unknown message.
    pub async fn get_message(&self, actor: &Actor, id: &MessageId) -> Result<Vec<Envelope>> {
        let mut conn = self.store.read().await?;
        let found = messages::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Message", id))?;
        Ok(envelope::envelopes(&found, &RequestConfig::default()))
    }

    /// Edits a message; the model sees the edit from its next step on.
    ///
    /// # Errors
    /// 404 for an unknown agent or message, 400 for a kind that the message is not or an empty text.
    pub async fn update_message(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        id: &MessageId,
        update: MessageEdit,
    ) -> Result<Envelope> {
        self.require_agent(actor, agent).await?;
        let mut tx = self.store.write().await?;
        let mut message = messages::get(&mut tx, actor, id)
            .await?
            .filter(|message| message.agent_id == *agent)
            .ok_or_else(|| CoreError::missing("Message", id))?;
        let update = update.for_role(message.role).ok_or_else(|| {
            CoreError::Invalid(format!(
                "The content of a {} message cannot be changed like this",
                message.role.as_str()
            ))
        })?;
        apply(&mut message, update)?;
        message.updated_at = Some(self.env.now());
        message.last_updated_by_id = Some(actor.user.to_string());
        messages::update(&mut tx, actor, &message).await?;
        messages::forget_vector(&mut tx, actor, &message.id).await?;
        self.touch(&mut tx, actor, agent).await?;
        tx.commit().await?;
        self.contexts.forget(agent);
        self.recall_again(actor, agent);
        let shown = envelope::envelopes(&message, &RequestConfig::default());
        shown.into_iter().last().ok_or_else(|| CoreError::Internal(format!("{id} has nothing to show after its edit")))
    }

    /// Marks an agent's context as changed, for this and other replicas' caches.
    async fn touch(&self, tx: &mut mneme_store::Conn, actor: &Actor, id: &AgentId) -> Result<()> {
        let agent = agents::get(tx, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?;
        let now = self.env.now();
        agents::touch_context(tx, actor, id, &agent.message_ids, agent.version, None, None, now).await?;
        Ok(())
    }

    /// Forgets an agent's whole conversation. Memory blocks stay.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn reset_messages(
        self: &Arc<Self>,
        actor: &Actor,
        id: &AgentId,
        add_default: bool,
    ) -> Result<AgentState> {
        let _turn = self.locks.lock(id).await;
        let mut tx = self.store.write().await?;
        let mut agent = agents::get(&mut tx, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?;
        let stored = blocks::of_agent(&mut tx, actor, id).await?;
        let blocks: Vec<_> = stored.into_iter().map(|stored| stored.block).collect();
        messages::delete_of_agent(&mut tx, actor, id).await?;
        let mut first = vec![self.system_message(&agent, &blocks)];
        if let Some(kept) = agent.message_ids.first() {
            first[0].id = kept.clone();
        }
        if add_default {
            first.extend(self.default_messages(&agent));
        }
        messages::append(&mut tx, actor, &first).await?;
        agent.message_ids = first.iter().map(|message| message.id.clone()).collect();
        agent.updated_at = self.env.now();
        agents::update(&mut tx, actor, &agent).await?;
        let full = agents::full(&mut tx, actor, id, Include::ALL).await?;
        tx.commit().await?;
        self.contexts.forget(id);
        full.map(AgentState::from).ok_or_else(|| CoreError::missing("Agent", id))
    }

    /// The message that tells an agent that somebody has come.
    pub(crate) fn login_message(&self, agent: &AgentId, timezone: Option<&str>) -> Message {
        let now = self.env.now();
        let zone: chrono_tz::Tz = timezone.and_then(|name| name.parse().ok()).unwrap_or(chrono_tz::Tz::UTC);
        let mut message = Message::new(MessageId::from_uuid(self.env.uuid()), agent.clone(), MessageRole::User, now);
        let time = now.with_timezone(&zone).format("%Y-%m-%d %I:%M:%S %p %Z%z").to_string();
        let text = serde_json::json!({"type": "login", "last_login": "never", "time": time}).to_string();
        message.content = vec![ContentPart::text(text)];
        message
    }

    /// The request that sending these messages would make to the provider. Nothing is stored or sent.
    ///
    /// # Errors
    /// As [`Core::send`], before the model is called.
    pub async fn preview_request(self: &Arc<Self>, actor: &Actor, id: &AgentId, request: SendRequest) -> Result<Value> {
        let stream = request.stream_tokens == Some(true);
        let told = turn::told::Told::of(&request);
        let model = request.override_model.clone();
        let client_tools = request.client_tools.clone().unwrap_or_default();
        let mut conn = self.store.read().await?;
        let agent = agents::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?;
        let stored = blocks::of_agent(&mut conn, actor, id).await?;
        let tools: Vec<Arc<Tool>> = tools::of_agent(&mut conn, actor, id).await?.into_iter().map(Arc::new).collect();
        let context = self.load_context(&mut conn, actor, &agent).await?;
        let (memories, tags) = self.memory_overview(&mut conn, actor, id, prompt::TAGS_READ).await?;
        let files = self.files_section(&mut conn, actor, &agent).await?;
        drop(conn);
        let agent = match &model {
            Some(handle) => self.served_by(actor, &agent, handle).await?,
            None => agent,
        };
        let pending: Vec<Message> = input::parse(request)?
            .messages
            .into_iter()
            .map(|create| input::to_message(&self.env, id, None, create))
            .collect();
        let blocks: Vec<_> = stored.into_iter().map(|stored| stored.block).collect();
        let shown = i64::try_from(context.messages.len() + 1).unwrap_or(i64::MAX);
        let facts = prompt::Facts {
            now: self.env.now(),
            memory_changed: context.memory_changed,
            recall_messages: (context.total - shown).max(0),
            timezone: agent.timezone.as_deref().unwrap_or("UTC"),
            memories,
            tags: &tags,
        };
        let system = prompt::join(&prompt::fixed_part(&agent.system, &blocks, &agent.tool_rules, &files), facts);
        let system = told.over(system);
        let chat = history::to_chat(&system, context.messages.iter().map(|message| &**message).chain(&pending));
        let provider = self.provider_of(actor, &agent.llm_config).await?;
        let specs = turn::offered(&agent, &tools, &client_tools);
        let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
        let offer = turn::rules::offer(&agent.tool_rules, &names, &turn::rules::Trail::default());
        let mut request = turn::request(&agent, chat, specs);
        offer.apply(&mut request);
        told.apply(&mut request);
        Ok(self.models.client().request_body(&provider, &request, stream))
    }

    /// Takes older messages out of an agent's context now, a summary in their place. Says what came of it. It is done as
    /// `settings` say, else as the agent's do; with `most`, that many messages stay at most.
    ///
    /// # Errors
    /// 404 for an unknown agent, 422 for settings that make no sense.
    pub async fn summarize_messages(
        self: &Arc<Self>,
        actor: &Actor,
        id: &AgentId,
        settings: Option<CompactionSettings>,
        most: Option<usize>,
    ) -> Result<Compaction> {
        self.require_agent(actor, id).await?;
        if let Some(settings) = &settings {
            self.check_compaction(actor, settings).await?;
        }
        let _turn = self.locks.lock(id).await;
        let mut conn = self.store.read().await?;
        let agent = agents::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?;
        let tools = tools::of_agent(&mut conn, actor, id).await?;
        let context = self.load_context(&mut conn, actor, &agent).await?;
        drop(conn);
        let specs = turn::specs(&agent, &tools);
        // The system message is one of them.
        let before = context.messages.len() + 1;
        let Some(smaller) = self.compact(actor, &agent, &context, &specs, settings.as_ref(), most).await? else {
            return Ok(Compaction { summary: String::new(), before, after: before });
        };
        let summary = compact::summary(&smaller);
        let after = smaller.messages.len() + 1;
        self.contexts.put(id, smaller);
        Ok(Compaction { summary, before, after })
    }
}

/// What making room in an agent's context came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compaction {
    /// What stands for the messages that left; empty when none could.
    pub summary: String,
    /// Messages in the context until then.
    pub before: usize,
    /// Messages in it now.
    pub after: usize,
}

/// Writes an edit into a message of the right kind.
fn apply(message: &mut Message, update: MessageUpdate) -> Result<()> {
    let wrong = |kind: &str| Err(CoreError::Invalid(format!("The message is no {kind}")));
    let (role, content) = match update {
        MessageUpdate::SystemMessage { content } => (MessageRole::System, Content::Text(content)),
        MessageUpdate::UserMessage { content } => (MessageRole::User, content),
        MessageUpdate::AssistantMessage { content } => (MessageRole::Assistant, content),
        MessageUpdate::ReasoningMessage { reasoning: text } => {
            let reasoning = message.content.iter_mut().find_map(|part| match part {
                ContentPart::Reasoning { reasoning, signature, .. } => Some((reasoning, signature)),
                _ => None,
            });
            let Some((reasoning, signature)) = reasoning else {
                return wrong("reasoning_message");
            };
            *reasoning = text;
            // The provider signed other words.
            *signature = None;
            return Ok(());
        }
    };
    if message.role != role {
        return wrong(&format!("{}_message", role.as_str()));
    }
    if content.is_empty() {
        return Err(CoreError::Invalid("Message content is empty or invalid".into()));
    }
    if role == MessageRole::Assistant {
        return edit_answer(message, content);
    }
    message.content = content.into_parts();
    Ok(())
}

/// An answer keeps its reasoning; an answer given through a tool is edited in the call's arguments.
fn edit_answer(message: &mut Message, content: Content) -> Result<()> {
    let config = RequestConfig::default();
    let said = message.content.iter().any(|part| matches!(part, ContentPart::Text { .. }));
    let call =
        message.tool_calls.iter_mut().flatten().find(|call| call.function.name == config.assistant_message_tool_name);
    if let (false, Some(call)) = (said, call) {
        let text = mneme_domain::content::text_of(&content.into_parts());
        let mut arguments: serde_json::Map<String, Value> =
            serde_json::from_str(&call.function.arguments).unwrap_or_default();
        arguments.insert(config.assistant_message_tool_kwarg, text.into());
        call.function.arguments = Value::Object(arguments).to_string();
        return Ok(());
    }
    message.content.retain(|part| !matches!(part, ContentPart::Text { .. } | ContentPart::Image { .. }));
    message.content.extend(content.into_parts());
    Ok(())
}
