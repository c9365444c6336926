//! Memories that a tool keeps during a step: embedded at once, written with the step.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId,
    archive::{CreatePassage, Passage},
    llm_config::EmbeddingConfig,
};
use mneme_store::{
    Conn, agents, archives,
    passages::{self, Scope},
};

use crate::{Core, CoreError, Result};

impl Core {
    /// A passage for an agent's archive, with its vector if there is one to be had, not written yet.
    pub(crate) async fn stage_memory(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        content: String,
        tags: Vec<String>,
    ) -> Result<Passage> {
        let tags = (!tags.is_empty()).then_some(tags);
        let body = CreatePassage { text: content, tags, created_at: None, metadata: None };
        let mut passage = self.new_passage(actor, body)?;
        let mut conn = self.store.read().await?;
        let config = match archives::of_agent(&mut conn, actor, agent).await?.into_iter().next() {
            Some(archive) => archive.embedding_config,
            None => {
                let found = agents::get(&mut conn, actor, agent).await?;
                found.ok_or_else(|| CoreError::missing("Agent", agent))?.embedding_config
            }
        };
        drop(conn);
        if let Some(vector) = self.try_vector(actor, config.as_ref(), &passage.text).await {
            passage.embedding = Some(vector);
            passage.embedding_config = config;
        }
        Ok(passage)
    }

    /// Writes staged passages into the agent's archive, which is made when there is none.
    pub(crate) async fn write_staged(
        &self,
        tx: &mut Conn,
        actor: &Actor,
        agent: &AgentId,
        staged: &[Passage],
    ) -> Result<()> {
        if staged.is_empty() {
            return Ok(());
        }
        let agent = agents::get(tx, actor, agent).await?.ok_or_else(|| CoreError::missing("Agent", agent))?;
        let archive = self.home_archive(tx, actor, &agent).await?;
        let model = archive.embedding_config.as_ref().map(EmbeddingConfig::name);
        let place = |passage: &Passage| {
            let mut placed = Passage { archive_id: Some(archive.id.clone()), ..passage.clone() };
            // Another archive may be the first by now; a vector of another model would never be found in it.
            if placed.embedding_config.as_ref().map(EmbeddingConfig::name) != model {
                placed.embedding = None;
                placed.embedding_config = None;
            }
            placed
        };
        let placed: Vec<Passage> = staged.iter().map(place).collect();
        Ok(passages::insert(tx, actor, &placed).await?)
    }

    /// How many passages an agent can read, and the first so many of their tags.
    pub(crate) async fn memory_overview(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        agent: &AgentId,
        tags: u32,
    ) -> Result<(i64, Vec<String>)> {
        let ids: Vec<_> = archives::of_agent(conn, actor, agent).await?.into_iter().map(|archive| archive.id).collect();
        if ids.is_empty() {
            return Ok((0, Vec::new()));
        }
        let tags = passages::tags_of(conn, actor, &ids, tags).await?;
        Ok((passages::count(conn, actor, &Scope::Archives(ids)).await?, tags))
    }
}
