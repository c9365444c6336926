//! What agents do with folders and files: they get and lose them, open and close them. What their tools read of them is in
//! `pieces`.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, EntityId, FileId, Order, Page, SourceId,
    agent::Agent,
    folder::{AgentFile, AgentFiles, FileStatus, Folder},
};
use mneme_macros::boxed;
use mneme_sandbox::OpenedFile;
use mneme_store::{
    Conn, agents,
    files::{self, Readable},
    folders,
};

use super::{
    MOST_READABLE,
    folders::stored,
    view::{Window, window},
};
use crate::{Core, CoreError, Result};

#[boxed]
impl Core {
    /// The folders of an agent.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn agent_folders(self: &Arc<Self>, actor: &Actor, agent: &AgentId, page: &Page) -> Result<Vec<Folder>> {
        self.require_agent(actor, agent).await?;
        Ok(folders::of_agent(&mut self.store.read().await?, actor, agent, page).await?)
    }

    /// Gives an agent a folder, and the tools for files; the newest files open as far as there is room. Giving it twice
    /// does nothing.
    ///
    /// # Errors
    /// 404 for an unknown agent or folder.
    pub async fn attach_folder(self: &Arc<Self>, actor: &Actor, agent: &AgentId, id: &SourceId) -> Result<()> {
        self.require_agent(actor, agent).await?;
        let mut tx = self.store.write().await?;
        stored(&mut tx, actor, id).await?;
        let fresh = folders::attach(&mut tx, actor, agent, id).await?;
        self.give_file_tools(&mut tx, actor, agent).await?;
        tx.commit().await?;
        if fresh { self.open_newest(actor, agent, id).await } else { Ok(()) }
    }

    /// Takes a folder from an agent, and with its last one the tools for files. Taking one that it has not does nothing.
    ///
    /// # Errors
    /// 404 for an unknown agent or folder.
    pub async fn detach_folder(self: &Arc<Self>, actor: &Actor, agent: &AgentId, id: &SourceId) -> Result<()> {
        self.require_agent(actor, agent).await?;
        let mut tx = self.store.write().await?;
        stored(&mut tx, actor, id).await?;
        folders::detach(&mut tx, actor, agent, id).await?;
        self.take_file_tools(&mut tx, actor, agent).await?;
        Ok(tx.commit().await?)
    }

    /// Replaces an agent's folders by these.
    pub(crate) async fn set_folders(self: &Arc<Self>, actor: &Actor, agent: &AgentId, ids: &[SourceId]) -> Result<()> {
        let present = self.agent_folders(actor, agent, &Page::all()).await?;
        for folder in present.iter().filter(|folder| !ids.contains(&folder.id)) {
            self.detach_folder(actor, agent, &folder.id).await?;
        }
        for id in ids {
            self.attach_folder(actor, agent, id).await?;
        }
        Ok(())
    }

    /// The folders that a body names in either way, each once.
    ///
    /// # Errors
    /// 422 for what is no folder's id, 404 for an unknown folder.
    pub(crate) async fn named_folders(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        folder_ids: Option<Vec<String>>,
        source_ids: Option<Vec<String>>,
    ) -> Result<Vec<SourceId>> {
        let mut ids: Vec<SourceId> = Vec::new();
        for (field, given) in [("folder_ids", folder_ids), ("source_ids", source_ids)] {
            for text in given.unwrap_or_default() {
                let id = SourceId::parse(&text).map_err(|error| CoreError::field(field, error.to_string()))?;
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        if !ids.is_empty() {
            let found = folders::get_many(conn, actor, &ids).await?;
            if let Some(missing) = ids.iter().find(|id| !found.iter().any(|folder| folder.id == **id)) {
                return Err(CoreError::missing("Source", missing));
            }
        }
        Ok(ids)
    }

    /// The files in an agent's folders.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn agent_files(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        is_open: Option<bool>,
        page: &Page,
    ) -> Result<AgentFiles> {
        self.require_agent(actor, agent).await?;
        let limit = page.limit.min(Page::MAX_LIMIT);
        // One more says that there are more; the largest page asks for the last one again.
        let wanted = Page { limit: (limit + 1).min(Page::MAX_LIMIT), ..page.clone() };
        let mut conn = self.store.read().await?;
        let mut found = files::list_of_agent(&mut conn, actor, agent, is_open, &wanted).await?;
        let keep = usize::try_from(if limit == Page::MAX_LIMIT { limit - 1 } else { limit }).unwrap_or(usize::MAX);
        let has_more = found.len() > keep;
        // Going back from a cursor, the nearest ones count.
        if page.before.is_some() && page.after.is_none() && has_more {
            found.drain(..found.len() - keep);
        }
        found.truncate(keep);
        let next_cursor = found.last().filter(|_| has_more).map(|file| file.file_id.to_string());
        Ok(AgentFiles { files: found, next_cursor, has_more })
    }

    /// Opens a file, whole as far as it fits. Returns the names of the files that were closed to make room.
    ///
    /// # Errors
    /// 404 for an unknown agent or a file that is in none of its folders, 400 for one without text yet.
    pub async fn open_file(self: &Arc<Self>, actor: &Actor, agent: &AgentId, id: &FileId) -> Result<Vec<String>> {
        let found = self.readable(actor, agent).await?;
        let file = found.into_iter().find(|file| file.id == *id).ok_or_else(|| CoreError::missing("File", id))?;
        Ok(self.open_readable(actor, agent, &file, None).await?.closed)
    }

    /// Closes a file.
    ///
    /// # Errors
    /// 404 for an unknown agent or a file that is in none of its folders.
    pub async fn close_file(self: &Arc<Self>, actor: &Actor, agent: &AgentId, id: &FileId) -> Result<()> {
        let found = self.readable(actor, agent).await?;
        if !found.iter().any(|file| file.id == *id) {
            return Err(CoreError::missing("File", id));
        }
        let mut tx = self.store.write().await?;
        files::close(&mut tx, actor, agent, std::slice::from_ref(id)).await?;
        Ok(tx.commit().await?)
    }

    /// Closes all files; returns the names of those that were open.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn close_all_files(self: &Arc<Self>, actor: &Actor, agent: &AgentId) -> Result<Vec<String>> {
        self.require_agent(actor, agent).await?;
        let mut tx = self.store.write().await?;
        let closed = files::close_all(&mut tx, actor, agent).await?;
        tx.commit().await?;
        Ok(closed.into_iter().map(|file| file.file_name).collect())
    }

    /// The files in an agent's folders, as its tools name them.
    pub(super) async fn readable(&self, actor: &Actor, agent: &AgentId) -> Result<Vec<Readable>> {
        self.require_agent(actor, agent).await?;
        Ok(files::readable(&mut self.store.read().await?, actor, agent, MOST_READABLE).await?)
    }

    /// Opens one of them, or a range of its lines.
    pub(super) async fn open_readable(
        &self,
        actor: &Actor,
        agent: &AgentId,
        file: &Readable,
        range: Option<(u64, Option<u64>)>,
    ) -> Result<OpenedFile> {
        let name = &file.name;
        match file.status {
            FileStatus::Pending | FileStatus::Parsing => {
                return Err(CoreError::Invalid(format!("The file {name} is still being read; try again later")));
            }
            FileStatus::Error => return Err(CoreError::Invalid(format!("The file {name} could not be read"))),
            FileStatus::Embedding | FileStatus::Completed => {}
        }
        let (agent, text) = {
            let mut conn = self.store.read().await?;
            let agent =
                agents::get(&mut conn, actor, agent).await?.ok_or_else(|| CoreError::missing("Agent", agent))?;
            let text = files::content(&mut conn, actor, &file.id).await?;
            (agent, text.ok_or_else(|| CoreError::missing("File", &file.id))?)
        };
        let shown = window(&text, range, agent.file_view_limit()).ok_or_else(|| {
            let (offset, lines) = (range.map_or(0, |(offset, _)| offset), text.lines().count());
            CoreError::Invalid(format!(
                "The file {name} has {lines} lines; an offset of {offset} is behind the last one"
            ))
        })?;
        let mut tx = self.store.write().await?;
        let closed = self.put_into_view(&mut tx, actor, &agent, &file.id, &shown, true).await?;
        tx.commit().await?;
        let closed = closed.into_iter().map(|file| file.file_name).collect();
        let Window { first, last, lines, cut, .. } = shown;
        Ok(OpenedFile { name: name.clone(), first, last, lines, cut, closed })
    }

    /// Opens a file for an agent. When it has too many open, those that it used least recently are closed, or, unless that
    /// is wanted, nothing happens.
    async fn put_into_view(
        &self,
        tx: &mut Conn,
        actor: &Actor,
        agent: &Agent,
        file: &FileId,
        shown: &Window,
        make_room: bool,
    ) -> Result<Vec<AgentFile>> {
        let most = usize::try_from(agent.files_open_limit()).unwrap_or(0);
        if most == 0 {
            return Err(CoreError::Invalid("The agent may have no files open (max_files_open is 0)".into()));
        }
        files::lock_agent(tx, actor, &agent.id).await?;
        let mut open = files::opened(tx, actor, std::slice::from_ref(&agent.id)).await?;
        let mut others = open.remove(&agent.id).unwrap_or_default();
        others.retain(|other| other.file_id != *file);
        let excess = (others.len() + 1).saturating_sub(most);
        if excess > 0 && !make_room {
            return Ok(Vec::new());
        }
        others.truncate(excess);
        let ids: Vec<FileId> = others.iter().map(|file| file.file_id.clone()).collect();
        files::close(tx, actor, &agent.id, &ids).await?;
        files::open(tx, actor, &agent.id, file, &shown.view, self.env.now()).await?;
        Ok(others)
    }

    /// Opens a file that has just become readable.
    pub(super) async fn open_by_itself(&self, actor: &Actor, agent: &AgentId, file: &FileId, text: &str) -> Result<()> {
        let mut tx = self.store.write().await?;
        let Some(agent) = agents::get(&mut tx, actor, agent).await? else { return Ok(()) };
        let Some(shown) = window(text, None, agent.file_view_limit()) else { return Ok(()) };
        self.put_into_view(&mut tx, actor, &agent, file, &shown, true).await?;
        Ok(tx.commit().await?)
    }

    /// Opens the newest files of a folder that an agent has just got, as far as there is room.
    pub(crate) async fn open_newest(&self, actor: &Actor, agent: &AgentId, folder: &SourceId) -> Result<()> {
        let (agent, newest) = {
            let mut conn = self.store.read().await?;
            let Some(agent) = agents::get(&mut conn, actor, agent).await? else { return Ok(()) };
            let limit = u32::try_from(agent.files_open_limit()).unwrap_or(0).min(Page::MAX_LIMIT);
            if limit == 0 {
                return Ok(());
            }
            let page = Page { before: None, after: None, limit, order: Order::Desc };
            (agent, files::list(&mut conn, actor, folder, &page).await?)
        };
        for file in newest.iter().rev() {
            let text = files::content(&mut self.store.read().await?, actor, &file.id).await?;
            let shown = text.and_then(|text| window(&text, None, agent.file_view_limit()));
            if let Some(shown) = shown {
                let mut tx = self.store.write().await?;
                self.put_into_view(&mut tx, actor, &agent, &file.id, &shown, false).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }
}
