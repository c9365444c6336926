//! Passages: put into archives, listed, changed, deleted.

use std::sync::Arc;

use chrono_tz::Tz;
use mneme_domain::{
    Actor, AgentId, ArchiveId, Page, PassageId, Patch, Timestamp,
    agent::Agent,
    archive::{Archive, CreatePassage, Passage, PassageUpdate, clean_tags},
};
use mneme_macros::boxed;
use mneme_store::{
    Conn, agents, archives,
    passages::{self, PassageFilter, Scope},
};

use super::archives::stored;
use crate::{Core, CoreError, Result, dates};

/// Bounds of a search as a client writes them.
#[derive(Debug, Clone, Default)]
pub struct MemoryBounds {
    /// Made then or later.
    pub start: Option<String>,
    /// Made then or earlier.
    pub end: Option<String>,
}

impl MemoryBounds {
    /// The moments, in the time zone of whoever asks. `loc` says where in the request they are.
    pub(super) fn read(&self, zone: Tz, loc: [&str; 3]) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
        let [place, start, end] = loc;
        let read = |text: &Option<String>, field: &str, last| match text.as_deref().filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => dates::bound(text, zone, last).map(Some).ok_or_else(|| CoreError::Unprocessable {
                loc: vec![place.into(), field.into()],
                kind: "datetime_from_date_parsing".into(),
                msg: "Input should be a valid datetime or date".into(),
            }),
        };
        Ok((read(&self.start, start, false)?, read(&self.end, end, true)?))
    }
}

impl MemoryBounds {
    /// The moments, in UTC where nothing else is written. `loc` says where in the request they are.
    ///
    /// # Errors
    /// 422 for a text that is no date.
    pub fn in_utc(&self, loc: [&str; 3]) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
        self.read(Tz::UTC, loc)
    }
}

pub(super) fn zone_of(agent: &Agent) -> Tz {
    agent.timezone.as_deref().and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC)
}

#[boxed]
impl Core {
    /// A passage of a body, in no archive yet.
    pub(super) fn new_passage(&self, actor: &Actor, body: CreatePassage) -> Result<Passage> {
        check_text(&body.text)?;
        let tags = body.tags.map(clean_tags).transpose().map_err(|reason| CoreError::field("tags", reason))?;
        let now = self.env.now();
        Ok(Passage {
            id: PassageId::from_uuid(self.env.uuid()),
            text: body.text,
            embedding: None,
            embedding_config: None,
            archive_id: None,
            source_id: None,
            file_id: None,
            file_name: None,
            metadata: Some(body.metadata.unwrap_or_default()),
            tags,
            is_deleted: false,
            created_at: body.created_at.map_or(now, whole_micros),
            updated_at: Some(now),
            created_by_id: Some(actor.user.to_string()),
            last_updated_by_id: Some(actor.user.to_string()),
        })
    }

    /// Puts a text into an agent's archive, which is made when there is none.
    ///
    /// # Errors
    /// 404 for an unknown agent, 422 for an empty text.
    pub async fn create_memory(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        body: CreatePassage,
    ) -> Result<Vec<Passage>> {
        let mut passage = self.new_passage(actor, body)?;
        let mut tx = self.store.write().await?;
        let agent = agents::get(&mut tx, actor, agent).await?.ok_or_else(|| CoreError::missing("Agent", agent))?;
        let archive = self.home_archive(&mut tx, actor, &agent).await?;
        passage.archive_id = Some(archive.id.clone());
        passages::insert(&mut tx, actor, std::slice::from_ref(&passage)).await?;
        tx.commit().await?;
        self.embed_stored(actor, &archive, &mut passage).await;
        Ok(vec![passage])
    }

    /// Puts texts into an archive.
    ///
    /// # Errors
    /// 404 for an unknown archive, 422 for an empty text.
    pub async fn create_passages(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ArchiveId,
        bodies: Vec<CreatePassage>,
    ) -> Result<Vec<Passage>> {
        let mut made = Vec::new();
        for body in bodies {
            let mut passage = self.new_passage(actor, body)?;
            passage.archive_id = Some(id.clone());
            made.push(passage);
        }
        let archive = stored(&mut self.store.read().await?, actor, id).await?;
        self.embed_new(actor, &archive, &mut made).await;
        let mut tx = self.store.write().await?;
        stored(&mut tx, actor, id).await?;
        passages::insert(&mut tx, actor, &made).await?;
        tx.commit().await?;
        if made.iter().any(|passage| passage.embedding.is_some()) {
            self.embed_left_over(actor, &archive);
            self.tidy_vectors();
        }
        Ok(made)
    }

    /// Gives a passage that is stored already its vector. When that fails it stays as it is: its words are found.
    async fn embed_stored(self: &Arc<Self>, actor: &Actor, archive: &Archive, passage: &mut Passage) {
        let Some(config) = &archive.embedding_config else { return };
        let vector = match self.vector(actor, config, &passage.text).await {
            Ok(vector) => vector,
            Err(error) => {
                let model = config.name();
                tracing::warn!(archive = %archive.id, model, %error, "a text could not be embedded");
                return;
            }
        };
        let written = async {
            let mut tx = self.store.write().await?;
            passages::embed(&mut tx, actor, &passage.id, &passage.text, config, &vector).await?;
            tx.commit().await
        };
        match written.await {
            Ok(()) => {
                passage.embedding = Some(vector);
                passage.embedding_config = Some(config.clone());
                self.embed_left_over(actor, archive);
                self.tidy_vectors();
            }
            Err(error) => tracing::warn!(passage = %passage.id, %error, "a vector could not be stored"),
        }
    }

    /// The passages that an agent can read.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn list_memories(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        text: Option<String>,
        page: &Page,
    ) -> Result<Vec<Passage>> {
        let mut conn = self.store.read().await?;
        let archives = readable(&mut conn, actor, agent).await?;
        Ok(passages::list(
            &mut conn,
            actor,
            &PassageFilter { scope: Scope::Archives(archives), text, file_id: None },
            page,
        )
        .await?)
    }

    /// One passage of those that an agent can read, with its vector.
    ///
    /// # Errors
    /// 404 for an unknown agent, or a passage that it cannot read.
    pub async fn get_memory(self: &Arc<Self>, actor: &Actor, agent: &AgentId, id: &PassageId) -> Result<Passage> {
        let mut conn = self.store.read().await?;
        let archives = readable(&mut conn, actor, agent).await?;
        within(&mut conn, actor, &archives, id).await
    }

    /// Changes a passage of those that an agent can read.
    ///
    /// # Errors
    /// As [`Core::get_memory`]; 422 for an empty text.
    pub async fn update_memory(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        id: &PassageId,
        update: PassageUpdate,
    ) -> Result<Passage> {
        if let Patch::Set(text) = &update.text {
            check_text(text)?;
        }
        let mut tx = self.store.write().await?;
        let archives = readable(&mut tx, actor, agent).await?;
        passages::lock(&mut tx, actor, id).await?;
        let mut passage = within(&mut tx, actor, &archives, id).await?;
        match update.tags {
            Patch::Keep => {}
            Patch::Null => passage.tags = None,
            Patch::Set(tags) => {
                passage.tags = Some(clean_tags(tags).map_err(|reason| CoreError::field("tags", reason))?);
            }
        }
        update.metadata.apply(&mut passage.metadata);
        let before = passage.text.clone();
        update.text.apply_value(&mut passage.text);
        if passage.text != before {
            passage.embedding = None;
            passage.embedding_config = None;
        }
        passage.last_updated_by_id = Some(actor.user.to_string());
        let now = self.env.now();
        passage.updated_at = Some(now);
        passages::update(&mut tx, actor, &passage, now).await?;
        let archive = match &passage.archive_id {
            Some(id) => archives::get(&mut tx, actor, id).await?,
            None => None,
        };
        tx.commit().await?;
        if let Some(archive) = archive.filter(|_| passage.embedding.is_none()) {
            self.embed_stored(actor, &archive, &mut passage).await;
        }
        Ok(passage)
    }

    /// Deletes a passage of those that an agent can read.
    ///
    /// # Errors
    /// As [`Core::get_memory`].
    pub async fn delete_memory(self: &Arc<Self>, actor: &Actor, agent: &AgentId, id: &PassageId) -> Result<()> {
        let mut tx = self.store.write().await?;
        let archives = readable(&mut tx, actor, agent).await?;
        remove(tx, actor, &archives, id).await
    }

    /// Deletes a passage of an archive.
    ///
    /// # Errors
    /// 404 for an unknown archive, or a passage that is not in it.
    pub async fn delete_passage(self: &Arc<Self>, actor: &Actor, archive: &ArchiveId, id: &PassageId) -> Result<()> {
        let mut tx = self.store.write().await?;
        let archive = stored(&mut tx, actor, archive).await?.id;
        remove(tx, actor, &[archive], id).await
    }
}

/// The archives that an agent reads; 404 for an unknown agent.
async fn readable(conn: &mut Conn, actor: &Actor, agent: &AgentId) -> Result<Vec<ArchiveId>> {
    let found = archives::of_agent(conn, actor, agent).await?;
    // An agent with an archive is there; only without one it has to be looked for.
    if found.is_empty() && agents::get(conn, actor, agent).await?.is_none() {
        return Err(CoreError::missing("Agent", agent));
    }
    Ok(found.into_iter().map(|archive| archive.id).collect())
}

/// A passage of some archives, or 404.
async fn within(conn: &mut Conn, actor: &Actor, archives: &[ArchiveId], id: &PassageId) -> Result<Passage> {
    let found = passages::get(conn, actor, id).await?;
    found
        .filter(|passage| passage.archive_id.as_ref().is_some_and(|archive| archives.contains(archive)))
        .ok_or_else(|| CoreError::missing("Passage", id))
}

async fn remove(mut tx: Conn, actor: &Actor, archives: &[ArchiveId], id: &PassageId) -> Result<()> {
    within(&mut tx, actor, archives, id).await?;
    passages::delete(&mut tx, actor, id).await?;
    Ok(tx.commit().await?)
}

fn check_text(text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(CoreError::field("text", "the text is empty: there is nothing to remember"));
    }
    Ok(())
}

/// Both databases keep whole microseconds.
fn whole_micros(time: Timestamp) -> Timestamp {
    mneme_domain::clock::from_micros(mneme_domain::clock::to_micros(time))
}
