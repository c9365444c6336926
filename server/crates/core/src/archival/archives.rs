//! Archives, by themselves and of agents.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, ArchiveId, Page, Patch,
    agent::{AgentState, Include},
    archive::{Archive, ArchiveUpdate, CreateArchive},
};
use mneme_macros::boxed;
use mneme_store::{
    Conn, StoreError, agents,
    archives::{self, ArchiveFilter},
};

use crate::{Core, CoreError, Result};

#[boxed]
impl Core {
    /// Makes an archive that no agent has yet.
    ///
    /// # Errors
    /// 422 without an embedding model or with an empty name, 404 for a model that no provider has.
    pub async fn create_archive(self: &Arc<Self>, actor: &Actor, body: CreateArchive) -> Result<Archive> {
        check_name(&body.name)?;
        let embedding_config = match (body.embedding, body.embedding_config) {
            (_, Some(config)) => config,
            (Some(handle), None) => self.embedding_model(actor, &handle).await?,
            (None, None) => {
                return Err(CoreError::Unprocessable {
                    loc: vec!["body".into(), "embedding_config".into()],
                    kind: "missing".into(),
                    msg: "Field required".into(),
                });
            }
        };
        let now = self.env.now();
        let archive = Archive {
            id: ArchiveId::from_uuid(self.env.uuid()),
            name: body.name,
            description: body.description,
            vector_db_provider: Default::default(),
            embedding_config: Some(embedding_config),
            metadata: None,
            created_at: now,
            updated_at: Some(now),
            created_by_id: Some(actor.user.to_string()),
            last_updated_by_id: Some(actor.user.to_string()),
        };
        let mut tx = self.store.write().await?;
        archives::insert(&mut tx, actor, &archive).await?;
        tx.commit().await?;
        Ok(archive)
    }

    /// One archive.
    ///
    /// # Errors
    /// 404 for an unknown archive.
    pub async fn get_archive(self: &Arc<Self>, actor: &Actor, id: &ArchiveId) -> Result<Archive> {
        stored(&mut self.store.read().await?, actor, id).await
    }

    /// Archives of the organisation.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_archives(
        self: &Arc<Self>,
        actor: &Actor,
        filter: ArchiveFilter,
        page: &Page,
    ) -> Result<Vec<Archive>> {
        Ok(archives::list(&mut self.store.read().await?, actor, &filter, page).await?)
    }

    /// Changes an archive.
    ///
    /// # Errors
    /// 404 for an unknown archive, 422 for an empty name.
    pub async fn update_archive(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ArchiveId,
        update: ArchiveUpdate,
    ) -> Result<Archive> {
        if let Patch::Set(name) = &update.name {
            check_name(name)?;
        }
        let mut tx = self.store.write().await?;
        archives::lock(&mut tx, actor, id).await?;
        let mut archive = stored(&mut tx, actor, id).await?;
        update.name.apply_value(&mut archive.name);
        update.description.apply(&mut archive.description);
        archive.last_updated_by_id = Some(actor.user.to_string());
        let now = self.env.now();
        archive.updated_at = Some(now);
        archives::update(&mut tx, actor, &archive, now).await?;
        tx.commit().await?;
        Ok(archive)
    }

    /// Deletes an archive with its passages; its agents lose it.
    ///
    /// # Errors
    /// 404 for an unknown archive.
    pub async fn delete_archive(self: &Arc<Self>, actor: &Actor, id: &ArchiveId) -> Result<Archive> {
        let mut tx = self.store.write().await?;
        let archive = stored(&mut tx, actor, id).await?;
        archives::delete(&mut tx, actor, id).await?;
        tx.commit().await?;
        Ok(archive)
    }

    /// The agents that have an archive.
    ///
    /// # Errors
    /// 404 for an unknown archive.
    pub async fn archive_agents(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ArchiveId,
        page: &Page,
        include: Include,
    ) -> Result<Vec<AgentState>> {
        let mut conn = self.store.read().await?;
        stored(&mut conn, actor, id).await?;
        let found = archives::agents_of(&mut conn, actor, id, page).await?;
        let full = agents::full_many(&mut conn, actor, found, include).await?;
        Ok(full.into_iter().map(AgentState::from).collect())
    }

    /// Gives an agent an archive; giving it twice does nothing.
    ///
    /// # Errors
    /// 404 for an unknown agent or archive.
    pub async fn attach_archive(self: &Arc<Self>, actor: &Actor, agent: &AgentId, id: &ArchiveId) -> Result<()> {
        self.require_agent(actor, agent).await?;
        let mut tx = self.store.write().await?;
        match archives::attach(&mut tx, actor, agent, id).await {
            Ok(()) => Ok(tx.commit().await?),
            Err(StoreError::NotFound) => Err(CoreError::missing("Archive", id)),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes an archive from an agent; the archive stays. Taking one that it has not does nothing.
    ///
    /// # Errors
    /// 404 for an unknown agent or archive.
    pub async fn detach_archive(self: &Arc<Self>, actor: &Actor, agent: &AgentId, id: &ArchiveId) -> Result<()> {
        self.require_agent(actor, agent).await?;
        let mut tx = self.store.write().await?;
        stored(&mut tx, actor, id).await?;
        archives::detach(&mut tx, actor, agent, id).await?;
        Ok(tx.commit().await?)
    }
}

/// An archive, or 404.
pub(super) async fn stored(conn: &mut Conn, actor: &Actor, id: &ArchiveId) -> Result<Archive> {
    archives::get(conn, actor, id).await?.ok_or_else(|| CoreError::missing("Archive", id))
}

fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(CoreError::field("name", "an archive needs a name"));
    }
    Ok(())
}
