//! What fills an agent's context window, part by part.

use std::sync::Arc;

use mneme_domain::{Actor, AgentId, message::Message, tool::Tool};
use mneme_llm::tokens;
use mneme_macros::boxed;
use mneme_store::{agents, blocks, tools};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{history, prompt};
use crate::{Core, CoreError, Result, turn};

/// A context window with the tokens of each part; the parts add up to `context_window_size_current`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContextWindowOverview {
    /// Tokens that fit.
    pub context_window_size_max: i64,
    /// Tokens in use.
    pub context_window_size_current: i64,
    /// Messages in view, the system message included.
    pub num_messages: i64,
    /// Passages in archival memory.
    pub num_archival_memory: i64,
    /// Messages of the whole history.
    pub num_recall_memory: i64,
    pub num_tokens_external_memory_summary: i64,
    /// The facts about the history that the prompt tells.
    pub external_memory_summary: String,
    pub num_tokens_system: i64,
    /// The agent's instructions.
    pub system_prompt: String,
    pub num_tokens_core_memory: i64,
    /// The memory blocks as the model sees them.
    pub core_memory: String,
    pub num_tokens_summary_memory: i64,
    /// The summary of messages that left the window.
    pub summary_memory: Option<String>,
    pub num_tokens_functions_definitions: i64,
    /// The tools as the model sees them.
    #[schema(value_type = Option<Vec<Object>>)]
    pub functions_definitions: Option<Vec<Value>>,
    pub num_tokens_messages: i64,
    /// The messages in view.
    pub messages: Vec<Message>,
}

fn count(text: &str) -> i64 {
    i64::try_from(tokens::count(text)).unwrap_or(i64::MAX)
}

fn definition(tool: &Tool) -> Value {
    let spec = turn::tool_spec(tool);
    let function = json!({"name": spec.name, "description": spec.description, "parameters": spec.parameters});
    json!({"type": "function", "function": function})
}

/// The summary that a compaction left as the first message after the system message.
fn summary_of(messages: &[Arc<Message>]) -> Option<String> {
    let value: Value = serde_json::from_str(&messages.first()?.text()).ok()?;
    (value.get("type")?.as_str()? == "system_alert").then(|| value.get("message")?.as_str().map(str::to_owned))?
}

#[boxed]
impl Core {
    /// What fills the agent's context window now.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn context_window(self: &Arc<Self>, actor: &Actor, id: &AgentId) -> Result<ContextWindowOverview> {
        let mut conn = self.store.read().await?;
        let agent = agents::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?;
        let stored = blocks::of_agent(&mut conn, actor, id).await?;
        let tools = tools::of_agent(&mut conn, actor, id).await?;
        let context = self.load_context(&mut conn, actor, &agent).await?;
        let (memories, tags) = self.memory_overview(&mut conn, actor, id, prompt::TAGS_READ).await?;
        let files = self.files_section(&mut conn, actor, &agent).await?;
        drop(conn);
        let blocks: Vec<_> = stored.into_iter().map(|stored| stored.block).collect();
        let mut core_memory = prompt::memory_section(&blocks);
        if !files.is_empty() {
            core_memory = format!("{core_memory}\n\n{files}").trim_start().to_owned();
        }
        let rules = prompt::rules_section(&agent.tool_rules);
        let shown = 1 + i64::try_from(context.messages.len()).unwrap_or(i64::MAX);
        let external = prompt::facts_section(prompt::Facts {
            now: self.env.now(),
            memory_changed: context.memory_changed,
            recall_messages: (context.total - shown).max(0),
            timezone: agent.timezone.as_deref().unwrap_or("UTC"),
            memories,
            tags: &tags,
        });
        let specs = turn::specs(&agent, &tools);
        let summary = summary_of(&context.messages);
        let skip = usize::from(summary.is_some());
        let mut chat = history::to_chat("", context.messages.iter().skip(skip).map(|message| &**message));
        chat.remove(0);
        let as_count = |tokens: usize| i64::try_from(tokens).unwrap_or(i64::MAX);
        let num_tokens_system = count(&agent.system) + count(&rules);
        let num_tokens_core_memory = count(&core_memory);
        let num_tokens_external_memory_summary = count(&external);
        let num_tokens_summary_memory = summary.as_deref().map_or(0, count);
        let num_tokens_functions_definitions = as_count(tokens::count_messages(&[], &specs));
        let num_tokens_messages = as_count(tokens::count_messages(&chat, &[]));
        let messages: Vec<Message> =
            std::iter::once(&context.system).chain(&context.messages).map(|message| (**message).clone()).collect();
        Ok(ContextWindowOverview {
            context_window_size_max: i64::from(agent.llm_config.context_window),
            context_window_size_current: num_tokens_system
                + num_tokens_core_memory
                + num_tokens_external_memory_summary
                + num_tokens_summary_memory
                + num_tokens_functions_definitions
                + num_tokens_messages,
            num_messages: shown,
            num_archival_memory: memories,
            num_recall_memory: context.total,
            num_tokens_external_memory_summary,
            external_memory_summary: external,
            num_tokens_system,
            system_prompt: agent.system,
            num_tokens_core_memory,
            core_memory,
            num_tokens_summary_memory,
            summary_memory: summary,
            num_tokens_functions_definitions,
            functions_definitions: Some(tools.iter().map(definition).collect()),
            num_tokens_messages,
            messages,
        })
    }
}
