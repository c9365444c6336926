//! Search by words and by meaning, fused by rank.

use std::{collections::HashMap, sync::Arc};

use chrono_tz::Tz;
use mneme_domain::{
    Actor, AgentId, ArchiveId, Order, Page, PassageId,
    archive::{Archive, Passage, TagMatch},
    llm_config::EmbeddingConfig,
};
use mneme_macros::boxed;
use mneme_store::{
    agents,
    archives::{self, ArchiveFilter},
    passages::{self, PassageSearch, Scope},
};

use super::{
    archives::stored,
    passages::{MemoryBounds, zone_of},
};
use crate::{
    Core, CoreError, Result, embedding,
    fusion::{Rank, fuse},
};

/// Results when the caller does not say.
const DEFAULT_LIMIT: u32 = 5;
/// Results at most.
const MAX_LIMIT: u32 = 100;
/// Each list is this much longer than the result, so that what is good in both comes up.
const DEPTH: u32 = 4;
/// And at least this long: the best one of a short result has to be the best of a longer one, too.
const MIN_DEPTH: u32 = 20;

/// What to look for.
#[derive(Debug, Clone, Default)]
pub struct PassageQuery {
    /// A question or keywords; without any, the newest passages come.
    pub text: String,
    pub tags: Vec<String>,
    pub tag_match: TagMatch,
    pub bounds: MemoryBounds,
    /// Results at most.
    pub limit: Option<u32>,
}

/// A passage, and why it was found.
#[derive(Debug, Clone)]
pub struct Found {
    pub passage: Passage,
    /// Fused score; more is better.
    pub score: f64,
    /// Place by meaning, from 1.
    pub vector_rank: Option<u32>,
    /// Place by words, from 1.
    pub text_rank: Option<u32>,
}

/// An archive or a folder to search in.
pub(crate) struct Place<I> {
    pub(crate) id: I,
    /// What it is called in an error.
    pub(crate) name: String,
    /// The model of its vectors.
    pub(crate) model: Option<EmbeddingConfig>,
}

/// The questions that searches by meaning ask: for each model its places and the query's vector.
struct Asked<I> {
    vectors: Vec<(EmbeddingConfig, Vec<I>, Vec<f32>)>,
    /// The places whose model this server does not have, and what to say of them.
    lacking: Vec<(I, String)>,
}

#[boxed]
impl Core {
    /// Searches what an agent can read. Also returns the agent's time zone, in which times are shown.
    ///
    /// # Errors
    /// 404 for an unknown agent, 422 for a bound that is no date, 400 when nothing is found and an archive's model is gone.
    pub async fn search_memories(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        query: PassageQuery,
    ) -> Result<(Vec<Found>, Tz)> {
        let mut conn = self.store.read().await?;
        let agent = agents::get(&mut conn, actor, agent).await?.ok_or_else(|| CoreError::missing("Agent", agent))?;
        let archives = archives::of_agent(&mut conn, actor, &agent.id).await?;
        drop(conn);
        let zone = zone_of(&agent);
        let (start, end) = query.bounds.read(zone, ["query", "start_datetime", "end_datetime"])?;
        let search = PassageSearch { start, end, ..narrowed(&query) };
        Ok((self.find_passages(actor, places(archives), search, &query).await?, zone))
    }

    /// Searches an archive, what an agent can read, or all archives of the organisation.
    ///
    /// # Errors
    /// 404 for an unknown archive or agent; else as [`Core::search_memories`].
    pub async fn search_passages(
        self: &Arc<Self>,
        actor: &Actor,
        archive: Option<&ArchiveId>,
        agent: Option<&AgentId>,
        query: PassageQuery,
    ) -> Result<Vec<Found>> {
        let mut conn = self.store.read().await?;
        let mut zone = Tz::UTC;
        if let Some(id) = agent {
            let agent = agents::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?;
            zone = zone_of(&agent);
        }
        let archives = match archive {
            Some(id) => {
                let archive = stored(&mut conn, actor, id).await?;
                let readers = match agent {
                    Some(agent) => archives::of_agent(&mut conn, actor, agent).await?,
                    None => vec![archive.clone()],
                };
                readers.into_iter().filter(|readable| readable.id == archive.id).collect()
            }
            None => {
                let all = Page { before: None, after: None, limit: Page::MAX_LIMIT, order: Order::Desc };
                let filter = ArchiveFilter { name: None, agent_id: agent.cloned() };
                archives::list(&mut conn, actor, &filter, &all).await?
            }
        };
        drop(conn);
        let (start, end) = query.bounds.read(zone, ["body", "start_date", "end_date"])?;
        let search = PassageSearch { start, end, ..narrowed(&query) };
        self.find_passages(actor, places(archives), search, &query).await
    }

    /// Finds passages in some places, the best first: in archives or in folders, each with the model of its vectors.
    /// The scope of `search` is filled in from the places.
    ///
    /// # Errors
    /// 400 when nothing is found and the model of a place that holds something is not there any more: to say that there is
    /// nothing would be wrong.
    pub(crate) async fn find_passages<I: Clone>(
        self: &Arc<Self>,
        actor: &Actor,
        places: Vec<Place<I>>,
        mut search: PassageSearch,
        query: &PassageQuery,
    ) -> Result<Vec<Found>>
    where
        Scope: From<Vec<I>>,
    {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        let depth = (limit * DEPTH).max(MIN_DEPTH);
        let text = query.text.trim();
        search.scope = Scope::from(places.iter().map(|place| place.id.clone()).collect::<Vec<I>>());
        let search = search;
        let by_words = async {
            Ok::<_, CoreError>(
                passages::search_words(&mut self.store.read().await?, actor, &search, text, depth).await?,
            )
        };
        let by_meaning = async {
            let asked = self.query_vectors(actor, &places, text).await;
            let mut near: Vec<(PassageId, f32)> = Vec::new();
            for (model, within, vector) in &asked.vectors {
                let search = PassageSearch { scope: Scope::from(within.clone()), ..search.clone() };
                let mut conn = self.store.read().await?;
                near.extend(passages::search_vectors(&mut conn, actor, &search, model.name(), vector, depth).await?);
            }
            near.sort_by(|(_, one), (_, two)| two.total_cmp(one));
            Ok((near, asked))
        };
        let (by_words, (near, asked)) = tokio::try_join!(by_words, by_meaning)?;
        let mut ranked = fuse(near.into_iter().map(|(id, _)| id), by_words);
        let mut conn = self.store.read().await?;
        // Who only gives a tag or a time wants what has it, whatever its words; without a model nothing else shows it.
        if text.is_empty() || (asked.vectors.is_empty() && search.is_narrowed()) {
            for id in passages::newest(&mut conn, actor, &search, limit).await? {
                if !ranked.iter().any(|rank| rank.id == id) {
                    ranked.push(Rank { id, vector: None, text: None });
                }
            }
        } else if ranked.is_empty() {
            for (id, lack) in asked.lacking {
                if passages::count(&mut conn, actor, &Scope::from(vec![id])).await? > 0 {
                    return Err(CoreError::Invalid(format!("Nothing was found by its words, and {lack}")));
                }
            }
        }
        ranked.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let ids: Vec<PassageId> = ranked.iter().map(|rank| rank.id.clone()).collect();
        let mut ranks: HashMap<PassageId, Rank<PassageId>> =
            ranked.into_iter().map(|rank| (rank.id.clone(), rank)).collect();
        let found = passages::get_many(&mut conn, actor, &ids).await?;
        Ok(found
            .into_iter()
            .filter_map(|passage| {
                let rank = ranks.remove(&passage.id)?;
                Some(Found { score: rank.score(), vector_rank: rank.vector, text_rank: rank.text, passage })
            })
            .collect())
    }

    /// The query's vector for each model in use, with the places of that model. Models that cannot be asked are left
    /// out: words still find.
    async fn query_vectors<I: Clone>(&self, actor: &Actor, places: &[Place<I>], text: &str) -> Asked<I> {
        let mut asked = Asked { vectors: Vec::new(), lacking: Vec::new() };
        if text.is_empty() {
            return asked;
        }
        // Places by their number, so that nothing is borrowed while the models are asked.
        let mut models: Vec<(EmbeddingConfig, Vec<usize>)> = Vec::new();
        for (number, place) in places.iter().enumerate() {
            let Some(config) = &place.model else { continue };
            match models.iter_mut().find(|(known, _)| known.name() == config.name()) {
                Some((_, within)) => within.push(number),
                None => models.push((config.clone(), vec![number])),
            }
        }
        let answers = models.into_iter().map(|(config, within)| async move {
            let answer = self.vector(actor, &config, text).await;
            (config, within, answer)
        });
        for (config, within, answer) in futures::future::join_all(answers).await {
            let within = within.into_iter().filter_map(|number| places.get(number));
            match answer {
                Ok(vector) => {
                    asked.vectors.push((config, within.map(|place| place.id.clone()).collect(), vector));
                }
                Err(error) => {
                    let gone = embedding::is_gone(&error);
                    for place in within {
                        tracing::warn!(place = place.name, model = config.name(), %error, "searched by words only");
                        if gone {
                            asked.lacking.push((place.id.clone(), embedding::lack(&place.name, &config, &error)));
                        }
                    }
                }
            }
        }
        asked
    }
}

fn places(archives: Vec<Archive>) -> Vec<Place<ArchiveId>> {
    let place = |archive: Archive| Place {
        name: format!("archive '{}' ({})", archive.name, archive.id),
        id: archive.id,
        model: archive.embedding_config,
    };
    archives.into_iter().map(place).collect()
}

fn narrowed(query: &PassageQuery) -> PassageSearch {
    PassageSearch { tags: query.tags.clone(), tag_match: query.tag_match, ..PassageSearch::default() }
}
