//! Search in messages by words and by meaning.

use std::{collections::HashMap, sync::Arc};

use mneme_domain::{Actor, AgentId, MessageId, message::Message};
use mneme_macros::boxed;
use mneme_store::{
    agents,
    messages::{self, MessageSearch},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Core, Result, fusion};

/// Agents whose messages are searched by meaning when no agent is named.
const MOST_AGENTS: u32 = 1_000;
/// Each list is this much longer than the result, so that what is good in both comes up.
const DEPTH: u32 = 4;
/// And at least this long: the best one of a short result has to be the best of a longer one, too.
const MIN_DEPTH: u32 = 20;

/// How to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SearchMode {
    /// By meaning alone.
    Vector,
    /// By words alone.
    Fts,
    /// By both, fused by rank.
    #[default]
    Hybrid,
}

/// A message, and why it was found.
#[derive(Debug, Clone)]
pub struct FoundMessage {
    pub message: Message,
    /// Fused score; more is better.
    pub score: f64,
    /// Place by meaning, from 1.
    pub vector_rank: Option<u32>,
    /// Place by words, from 1; without any words, by time.
    pub text_rank: Option<u32>,
}

#[boxed]
impl Core {
    /// Messages of an agent, or of all the organisation's agents, the best first. Without words the newest come.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn search_messages(
        self: &Arc<Self>,
        actor: &Actor,
        search: MessageSearch,
        mode: SearchMode,
    ) -> Result<Vec<FoundMessage>> {
        let limit = search.limit;
        let Some(text) = search.query.clone() else {
            let found = messages::search(&mut self.store.read().await?, actor, &search).await?;
            return Ok(ranked(fusion::fuse([], found.iter().map(|message| message.id.clone())), found, limit));
        };
        let deeper = MessageSearch { limit: limit.saturating_mul(DEPTH).max(MIN_DEPTH), ..search };
        let by_words = async {
            match mode {
                SearchMode::Vector => Ok(Vec::new()),
                _ => Ok::<_, crate::CoreError>(messages::search(&mut self.store.read().await?, actor, &deeper).await?),
            }
        };
        let by_meaning = async {
            match mode {
                SearchMode::Fts => Ok(Vec::new()),
                _ => self.near_messages(actor, &deeper, &text).await,
            }
        };
        let (mut found, near) = tokio::try_join!(by_words, by_meaning)?;
        if mode == SearchMode::Vector && near.is_empty() {
            // What was just said has no vector yet, and without a model nothing has: then words are all there is.
            found = messages::search(&mut self.store.read().await?, actor, &deeper).await?;
        }
        let mut ranks = fusion::fuse(near.iter().cloned(), found.iter().map(|message| message.id.clone()));
        // Of equal ones that which has the words: it may only be too new to have a vector.
        let by_text = |rank: &fusion::Rank<MessageId>| rank.text.unwrap_or(u32::MAX);
        ranks.sort_by(|one, two| two.score().total_cmp(&one.score()).then_with(|| by_text(one).cmp(&by_text(two))));
        let wanted: Vec<MessageId> = ranks
            .iter()
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|rank| rank.id.clone())
            .filter(|id| !found.iter().any(|message| message.id == *id))
            .collect();
        found.extend(messages::get_many(&mut self.store.read().await?, actor, &wanted).await?);
        Ok(ranked(ranks, found, limit))
    }

    /// The messages nearest by meaning, nearest first. What cannot be embedded is left out: words still find.
    async fn near_messages(
        self: &Arc<Self>,
        actor: &Actor,
        search: &MessageSearch,
        text: &str,
    ) -> Result<Vec<MessageId>> {
        let mut conn = self.store.read().await?;
        let agents: Vec<(AgentId, String)> = match &search.agent_id {
            Some(id) => {
                let config = agents::get(&mut conn, actor, id).await?.and_then(|agent| agent.embedding_config);
                self.recall_later(actor, id);
                config.map(|config| (id.clone(), config.name().to_owned())).into_iter().collect()
            }
            None => messages::embedded_agents(&mut conn, actor, MOST_AGENTS).await?,
        };
        drop(conn);
        let mut models: HashMap<String, Vec<AgentId>> = HashMap::new();
        for (agent, model) in agents {
            models.entry(model).or_default().push(agent);
        }
        let mut near: Vec<(MessageId, f32)> = Vec::new();
        for (model, agents) in models {
            let Some(config) = self.embedding_of(actor, &agents, &model).await? else { continue };
            let Some(vector) = self.try_vector(actor, Some(&config), text).await else { continue };
            let mut conn = self.store.read().await?;
            near.extend(messages::search_vectors(&mut conn, actor, search, &agents, &model, &vector).await?);
        }
        near.sort_by(|(_, one), (_, two)| two.total_cmp(one));
        Ok(near.into_iter().map(|(id, _)| id).collect())
    }

    /// The configuration of a model that some agents' messages were embedded with, as one of them has it.
    async fn embedding_of(
        &self,
        actor: &Actor,
        of: &[AgentId],
        model: &str,
    ) -> Result<Option<mneme_domain::llm_config::EmbeddingConfig>> {
        let mut conn = self.store.read().await?;
        for agent in of.iter().take(3) {
            let config = agents::get(&mut conn, actor, agent).await?.and_then(|agent| agent.embedding_config);
            if let Some(config) = config.filter(|config| config.name() == model) {
                return Ok(Some(config));
            }
        }
        Ok(self.embedding_model(actor, model).await.ok())
    }
}

fn ranked(ranks: Vec<fusion::Rank<MessageId>>, found: Vec<Message>, limit: u32) -> Vec<FoundMessage> {
    let mut messages: HashMap<MessageId, Message> =
        found.into_iter().map(|message| (message.id.clone(), message)).collect();
    let shown = ranks.into_iter().filter_map(|rank| {
        let message = messages.remove(&rank.id)?;
        Some(FoundMessage { score: rank.score(), vector_rank: rank.vector, text_rank: rank.text, message })
    });
    shown.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect()
}
