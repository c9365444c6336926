//! The system prompt written anew because somebody asks for it. Turns do it by themselves when memory has changed.

use std::sync::Arc;

use mneme_domain::{Actor, AgentId, content::ContentPart};
use mneme_store::{agents, blocks, messages};

use super::prompt;
use crate::{Core, CoreError, Result};

impl Core {
    /// Writes an agent's system prompt from its memory as it is now. A dry run keeps nothing; `touched` has the prompt say
    /// that memory changed just now.
    ///
    /// # Errors
    /// 404 for an unknown agent, 409 when the agent is changed meanwhile.
    pub async fn recompile_prompt(
        self: &Arc<Self>,
        actor: &Actor,
        id: &AgentId,
        dry_run: bool,
        touched: bool,
    ) -> Result<String> {
        // A turn has its prompt from its beginning and writes it at its end.
        let _turn = if dry_run { None } else { Some(self.locks.lock(id).await) };
        let mut conn = self.store.read().await?;
        let agent = agents::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?;
        let stored = blocks::of_agent(&mut conn, actor, id).await?;
        let context = self.load_context(&mut conn, actor, &agent).await?;
        let (memories, tags) = self.memory_overview(&mut conn, actor, id, prompt::TAGS_READ).await?;
        let files = self.files_section(&mut conn, actor, &agent).await?;
        drop(conn);
        let blocks: Vec<_> = stored.into_iter().map(|stored| stored.block).collect();
        let fixed = prompt::fixed_part(&agent.system, &blocks, &agent.tool_rules, &files);
        let now = self.env.now();
        let same = !touched && prompt::is_current(&context.system.text(), &fixed);
        let shown = i64::try_from(context.messages.len() + 1).unwrap_or(i64::MAX);
        let facts = prompt::Facts {
            now,
            memory_changed: if same { context.memory_changed } else { now },
            recall_messages: (context.total - shown).max(0),
            timezone: agent.timezone.as_deref().unwrap_or("UTC"),
            memories,
            tags: &tags,
        };
        let text = prompt::join(&fixed, facts);
        if dry_run {
            return Ok(text);
        }
        let mut system = (*context.system).clone();
        system.content = vec![ContentPart::text(text.clone())];
        system.updated_at = Some(now);
        let mut tx = self.store.write().await?;
        messages::update(&mut tx, actor, &system).await?;
        agents::touch_context(&mut tx, actor, id, &agent.message_ids, agent.version, None, None, now).await?;
        tx.commit().await?;
        self.contexts.forget(id);
        Ok(text)
    }
}
