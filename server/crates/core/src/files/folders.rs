//! Folders: made, read, changed, deleted.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, Page, Patch, SourceId,
    folder::{CreateFolder, Folder, FolderTotals, MAX_NAME_CHARS, UpdateFolder},
    llm_config::EmbeddingConfig,
};
use mneme_macros::boxed;
use mneme_store::{Conn, StoreError, files, folders};

use crate::{Core, CoreError, Result};

/// Agents of a deleted folder whose tools are looked at.
const MOST_AGENTS: u32 = 10_000;

#[boxed]
impl Core {
    /// Makes a folder. Without a model it gets the first that the server has, if any.
    ///
    /// # Errors
    /// 409 for a name that is taken, 422 for one that is no name, 400 or 404 for an unknown model.
    pub async fn create_folder(self: &Arc<Self>, actor: &Actor, body: CreateFolder) -> Result<Folder> {
        check_name(&body.name)?;
        let embedding_config =
            self.choose_embedding(actor, body.embedding, body.embedding_config, body.embedding_chunk_size).await?;
        let now = self.env.now();
        let folder = Folder {
            name: body.name,
            description: body.description,
            instructions: body.instructions,
            metadata: body.metadata,
            id: SourceId::from_uuid(self.env.uuid()),
            embedding_config,
            created_by_id: Some(actor.user.to_string()),
            last_updated_by_id: Some(actor.user.to_string()),
            created_at: now,
            updated_at: Some(now),
        };
        let mut tx = self.store.write().await?;
        folders::insert(&mut tx, actor, &folder).await.map_err(|error| taken(error, &folder.name))?;
        tx.commit().await.map_err(|error| taken(error, &folder.name))?;
        Ok(folder)
    }

    /// The folder of an agent that is to have one of its own. Names of folders are unique, so it is named by the agent's
    /// identifier.
    pub(crate) fn folder_of_its_own(
        &self,
        actor: &Actor,
        agent: &AgentId,
        embedding_config: Option<&EmbeddingConfig>,
    ) -> Folder {
        let now = self.env.now();
        Folder {
            name: format!("Files of {agent}"),
            description: None,
            instructions: None,
            metadata: None,
            id: SourceId::from_uuid(self.env.uuid()),
            embedding_config: embedding_config.cloned(),
            created_by_id: Some(actor.user.to_string()),
            last_updated_by_id: Some(actor.user.to_string()),
            created_at: now,
            updated_at: Some(now),
        }
    }

    /// One folder.
    ///
    /// # Errors
    /// 404 for an unknown folder.
    pub async fn get_folder(self: &Arc<Self>, actor: &Actor, id: &SourceId) -> Result<Folder> {
        stored(&mut self.store.read().await?, actor, id).await
    }

    /// The folder of a name.
    ///
    /// # Errors
    /// 404 when there is none.
    pub async fn folder_by_name(self: &Arc<Self>, actor: &Actor, name: &str) -> Result<SourceId> {
        let found = folders::by_name(&mut self.store.read().await?, actor, name).await?;
        let missing = || CoreError::NotFound(format!("Source with name={name} not found."));
        found.map(|folder| folder.id).ok_or_else(missing)
    }

    /// Folders of the organisation.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_folders(self: &Arc<Self>, actor: &Actor, name: Option<&str>, page: &Page) -> Result<Vec<Folder>> {
        Ok(folders::list(&mut self.store.read().await?, actor, name, page).await?)
    }

    /// How many folders the organisation has.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn count_folders(self: &Arc<Self>, actor: &Actor) -> Result<i64> {
        Ok(folders::count(&mut self.store.read().await?, actor).await?)
    }

    /// What the organisation's folders hold.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn folder_totals(self: &Arc<Self>, actor: &Actor, detailed: bool) -> Result<FolderTotals> {
        Ok(folders::totals(&mut self.store.read().await?, actor, detailed).await?)
    }

    /// Changes a folder. With another model its files are embedded anew, in the background.
    ///
    /// # Errors
    /// 404 for an unknown folder, 409 for a name that is taken, 422 for one that is no name.
    pub async fn update_folder(self: &Arc<Self>, actor: &Actor, id: &SourceId, update: UpdateFolder) -> Result<Folder> {
        if let Patch::Set(name) = &update.name {
            check_name(name)?;
        }
        let mut tx = self.store.write().await?;
        folders::lock(&mut tx, actor, id).await?;
        let mut folder = stored(&mut tx, actor, id).await?;
        let before = folder.clone();
        update.name.apply_value(&mut folder.name);
        update.description.apply(&mut folder.description);
        update.instructions.apply(&mut folder.instructions);
        update.metadata.apply(&mut folder.metadata);
        // A client that writes null for what it leaves alone must not lose all vectors.
        if let Patch::Set(config) = update.embedding_config {
            folder.embedding_config = Some(config);
        }
        folder.last_updated_by_id = Some(actor.user.to_string());
        let now = self.env.now();
        folder.updated_at = Some(now);
        let renamed = folder.name != before.name;
        let updated = folders::update(&mut tx, actor, &folder, renamed, now).await;
        updated.map_err(|error| taken(error, &folder.name))?;
        let model = |folder: &Folder| folder.embedding_config.as_ref().map(|config| config.name().to_owned());
        let remodelled = model(&folder) != model(&before);
        if remodelled {
            folders::forget_vectors(&mut tx, actor, id).await?;
        }
        tx.commit().await?;
        if remodelled {
            self.embed_again();
        }
        Ok(folder)
    }

    /// Deletes a folder with its files and chunks. Its agents lose it, and with their last folder the tools for files.
    ///
    /// # Errors
    /// 404 for an unknown folder.
    pub async fn delete_folder(self: &Arc<Self>, actor: &Actor, id: &SourceId) -> Result<()> {
        let mut tx = self.store.write().await?;
        let readers = files::readers(&mut tx, actor, id, MOST_AGENTS).await?;
        if !folders::delete(&mut tx, actor, id).await? {
            return Err(CoreError::missing("Source", id));
        }
        for agent in &readers {
            self.take_file_tools(&mut tx, actor, agent).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The agents that have a folder.
    ///
    /// # Errors
    /// 404 for an unknown folder.
    pub async fn folder_agents(self: &Arc<Self>, actor: &Actor, id: &SourceId, page: &Page) -> Result<Vec<AgentId>> {
        let mut conn = self.store.read().await?;
        stored(&mut conn, actor, id).await?;
        Ok(folders::agents_of(&mut conn, actor, id, page).await?)
    }
}

/// A folder, or 404.
pub(super) async fn stored(conn: &mut Conn, actor: &Actor, id: &SourceId) -> Result<Folder> {
    folders::get(conn, actor, id).await?.ok_or_else(|| CoreError::missing("Source", id))
}

fn taken(error: StoreError, name: &str) -> CoreError {
    match error {
        StoreError::Conflict(rule) if rule == "sources_org_id_name" => {
            CoreError::Conflict(format!("There is a folder called '{name}' already"))
        }
        other => other.into(),
    }
}

/// Refuses what is no name for a folder.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARS || name.contains(char::is_control) {
        let text = format!("a folder's name is 1 to {MAX_NAME_CHARS} characters, none of them a control character");
        return Err(CoreError::field("name", text));
    }
    Ok(())
}
