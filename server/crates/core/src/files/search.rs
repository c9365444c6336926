//! Search in the files of an agent by words and by meaning, fused by rank.

use std::collections::HashMap;

use mneme_domain::{
    Actor, AgentId, PassageId, SourceId, archive::Passage, folder::Folder, llm_config::EmbeddingConfig,
};
use mneme_store::{files, folders, passages};

use crate::{Core, Result};

/// Results at most.
const MAX_LIMIT: u32 = 50;
/// Each list is this much longer than the result, so that what is good in both comes up.
const DEPTH: u32 = 4;
/// The constant of reciprocal rank fusion: how little the first places differ.
const RRF: f64 = 60.0;

/// A part of a file, and why it was found.
#[derive(Debug, Clone)]
pub struct FoundChunk {
    pub passage: Passage,
    /// Fused score; more is better.
    pub score: f64,
    /// Place by meaning, from 1.
    pub vector_rank: Option<u32>,
    /// Place by words, from 1.
    pub text_rank: Option<u32>,
}

#[derive(Default, Clone, Copy)]
struct Ranks {
    vector: Option<u32>,
    text: Option<u32>,
}

impl Ranks {
    fn score(self) -> f64 {
        [self.vector, self.text].into_iter().flatten().map(|rank| 1.0 / (RRF + f64::from(rank))).sum()
    }
}

impl Core {
    /// Searches the files in an agent's folders, the best parts first.
    pub(crate) async fn search_files(
        &self,
        actor: &Actor,
        agent: &AgentId,
        text: &str,
        limit: u32,
    ) -> Result<Vec<FoundChunk>> {
        let limit = limit.clamp(1, MAX_LIMIT);
        let depth = limit * DEPTH;
        let mut conn = self.store.read().await?;
        let mut found = folders::of_agents(&mut conn, actor, std::slice::from_ref(agent)).await?;
        drop(conn);
        let folders = found.remove(agent).unwrap_or_default();
        let vectors = self.question_vectors(&folders, text).await;
        let mut conn = self.store.read().await?;
        let mut near: Vec<(PassageId, f32)> = Vec::new();
        for (model, within, vector) in &vectors {
            near.extend(files::search_vectors(&mut conn, actor, within, model.name(), vector, depth).await?);
        }
        near.sort_by(|(_, one), (_, two)| two.total_cmp(one));
        let all: Vec<SourceId> = folders.into_iter().map(|folder| folder.id).collect();
        let by_words = files::search_words(&mut conn, actor, &all, text, depth).await?;
        let mut ranks: HashMap<PassageId, Ranks> = HashMap::new();
        for ((id, _), place) in near.into_iter().zip(1..) {
            ranks.entry(id).or_default().vector = Some(place);
        }
        for (id, place) in by_words.into_iter().zip(1..) {
            ranks.entry(id).or_default().text = Some(place);
        }
        let mut ranked: Vec<(PassageId, Ranks)> = ranks.into_iter().collect();
        ranked.sort_by(|(id, one), (other, two)| two.score().total_cmp(&one.score()).then_with(|| id.cmp(other)));
        ranked.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let ids: Vec<PassageId> = ranked.iter().map(|(id, _)| id.clone()).collect();
        let by_id: HashMap<PassageId, Ranks> = ranked.into_iter().collect();
        let passages = passages::get_many(&mut conn, actor, &ids).await?;
        Ok(passages
            .into_iter()
            .map(|passage| {
                let ranks = by_id.get(&passage.id).copied().unwrap_or_default();
                FoundChunk { score: ranks.score(), vector_rank: ranks.vector, text_rank: ranks.text, passage }
            })
            .collect())
    }

    /// The question's vector for each model in use, with the folders of that model. Models that cannot be asked are left
    /// out: words still find.
    async fn question_vectors(
        &self,
        folders: &[Folder],
        text: &str,
    ) -> Vec<(EmbeddingConfig, Vec<SourceId>, Vec<f32>)> {
        let mut models: Vec<(EmbeddingConfig, Vec<SourceId>)> = Vec::new();
        for folder in folders {
            let Some(config) = &folder.embedding_config else { continue };
            match models.iter_mut().find(|(known, _)| known.name() == config.name()) {
                Some((_, within)) => within.push(folder.id.clone()),
                None => models.push((config.clone(), vec![folder.id.clone()])),
            }
        }
        let asked = models.into_iter().map(|(config, within)| async move {
            let vector = self.try_vector(Some(&config), text).await?;
            Some((config, within, vector))
        });
        futures::future::join_all(asked).await.into_iter().flatten().collect()
    }
}
