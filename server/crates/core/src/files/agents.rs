//! What agents do with folders and files: they get and lose them, open and close them, read them.

use mneme_boxed::boxed;
use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, EntityId, FileId, Order, Page, SourceId,
    agent::Agent,
    folder::{AgentFile, AgentFiles, FileStatus, Folder},
};
use mneme_sandbox::{FileEntry, FilePiece, OpenedFile};
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

/// Bytes of text that a tool reads at a time.
const PIECES: usize = 4 << 20;
/// Bytes of a piece of one file.
const PIECE: usize = 1 << 20;

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

    async fn readable(&self, actor: &Actor, agent: &AgentId) -> Result<Vec<Readable>> {
        self.require_agent(actor, agent).await?;
        Ok(files::readable(&mut self.store.read().await?, actor, agent, MOST_READABLE).await?)
    }

    async fn open_readable(
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

/// What tools ask for.
impl Core {
    pub(crate) async fn tool_files(&self, actor: &Actor, agent: &AgentId) -> Result<Vec<FileEntry>> {
        let entry = |file: Readable| FileEntry {
            name: file.name,
            lines: file.lines.and_then(|lines| u64::try_from(lines).ok()).unwrap_or(0),
            open: file.is_open,
            ready: matches!(file.status, FileStatus::Embedding | FileStatus::Completed),
        };
        Ok(self.readable(actor, agent).await?.into_iter().map(entry).collect())
    }

    pub(crate) async fn tool_open_file(
        &self,
        actor: &Actor,
        agent: &AgentId,
        name: &str,
        range: Option<(u64, Option<u64>)>,
    ) -> Result<OpenedFile> {
        let found = self.readable(actor, agent).await?;
        let file = named(&found, name)?;
        self.open_readable(actor, agent, file, range).await
    }

    /// Closes every file but the named ones.
    pub(crate) async fn tool_close_others(
        &self,
        actor: &Actor,
        agent: &AgentId,
        names: &[String],
    ) -> Result<Vec<String>> {
        let found = self.readable(actor, agent).await?;
        let kept: Vec<&FileId> = names.iter().filter_map(|name| Some(&named(&found, name).ok()?.id)).collect();
        let mut tx = self.store.write().await?;
        let mut open = files::opened(&mut tx, actor, std::slice::from_ref(agent)).await?;
        let mut others = open.remove(agent).unwrap_or_default();
        others.retain(|file| !kept.contains(&&file.file_id));
        let ids: Vec<FileId> = others.iter().map(|file| file.file_id.clone()).collect();
        files::close(&mut tx, actor, agent, &ids).await?;
        tx.commit().await?;
        Ok(others.into_iter().map(|file| file.file_name).collect())
    }

    /// Texts of files in the given order, about so many bytes at a time.
    pub(crate) async fn tool_read_files(
        &self,
        actor: &Actor,
        agent: &AgentId,
        names: &[String],
        offset: u64,
    ) -> Result<Vec<FilePiece>> {
        let found = self.readable(actor, agent).await?;
        let by_name: std::collections::HashMap<&str, &Readable> =
            found.iter().map(|file| (file.name.as_str(), file)).collect();
        let mut conn = self.store.read().await?;
        let mut pieces = Vec::new();
        let (mut bytes, mut from) = (0, usize::try_from(offset).unwrap_or(usize::MAX));
        // Several texts come with one question.
        for names in names.chunks(CONTENTS) {
            let ids: Vec<FileId> =
                names.iter().filter_map(|name| Some(by_name.get(name.as_str())?.id.clone())).collect();
            let mut texts = files::contents(&mut conn, actor, &ids, PIECES as i64).await?;
            for name in names {
                let file = by_name.get(name.as_str()).ok_or_else(|| unknown(name))?;
                let Some(text) = texts.remove(&file.id) else {
                    // A text that did not fit into the answer is the first one of the next question.
                    match files::content(&mut conn, actor, &file.id).await? {
                        Some(text) => {
                            bytes += cut(name, &text, &mut from, &mut pieces, PIECES.saturating_sub(bytes).max(PIECE));
                        }
                        None => pieces.push(FilePiece { name: name.clone(), line: 1, text: String::new(), next: None }),
                    }
                    if bytes >= PIECES || pieces.last().is_some_and(|piece| piece.next.is_some()) {
                        return Ok(pieces);
                    }
                    continue;
                };
                bytes += cut(name, &text, &mut from, &mut pieces, PIECES.saturating_sub(bytes).max(PIECE));
                if bytes >= PIECES || pieces.last().is_some_and(|piece| piece.next.is_some()) {
                    return Ok(pieces);
                }
            }
        }
        Ok(pieces)
    }
}

/// Texts that are asked for at once.
const CONTENTS: usize = 250;

/// Adds a text from an offset on in pieces of whole lines, at most so many bytes; returns how many.
fn cut(name: &str, text: &str, from: &mut usize, pieces: &mut Vec<FilePiece>, room: usize) -> usize {
    let mut start = std::mem::take(from).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    let mut taken = 0;
    loop {
        let mut end = start.saturating_add(PIECE).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        if end < text.len()
            && let Some(at) = text[start..end].rfind('\n')
        {
            end = start + at + 1;
        }
        let part = &text[start..end];
        taken += part.len();
        let next = (end < text.len()).then_some(end as u64);
        pieces.push(FilePiece { name: name.to_owned(), line, text: part.to_owned(), next });
        if next.is_none() || taken >= room {
            return taken;
        }
        line += part.bytes().filter(|byte| *byte == b'\n').count() as u64;
        start = end;
    }
}

/// The file of a name: whole, or without the folder when only one is called so.
fn named<'a>(found: &'a [Readable], name: &str) -> Result<&'a Readable> {
    if let Some(file) = found.iter().find(|file| file.name == name) {
        return Ok(file);
    }
    let mut alike = found.iter().filter(|file| file.name.rsplit('/').next() == Some(name));
    match (alike.next(), alike.next()) {
        (Some(file), None) => Ok(file),
        (Some(_), Some(_)) => Err(CoreError::Invalid(format!(
            "Several files are called {name}: write the folder in front, as in folder/{name}"
        ))),
        _ => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> CoreError {
    CoreError::NotFound(format!("There is no file {name} in your folders; their names are in the directories section"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_text_comes_in_whole_lines() {
        let text = "0123456789\n".repeat(300_000);
        let (mut pieces, mut from) = (Vec::new(), 0);
        let taken = cut("a", &text, &mut from, &mut pieces, text.len());
        assert_eq!(taken, text.len());
        assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), text);
        assert!(pieces.len() > 2 && pieces.iter().all(|piece| piece.text.ends_with('\n')));
        let mut line = 1;
        for piece in &pieces {
            assert_eq!(piece.line, line);
            line += piece.text.matches('\n').count() as u64;
        }
        let mut again = Vec::new();
        from = usize::try_from(pieces[0].next.unwrap()).unwrap();
        cut("a", &text, &mut from, &mut again, 1);
        assert_eq!(again[0], pieces[1]);
    }

    #[test]
    fn a_line_without_end_is_cut_at_a_character() {
        let text = "ü".repeat(PIECE);
        let (mut pieces, mut from) = (Vec::new(), 0);
        cut("a", &text, &mut from, &mut pieces, text.len());
        assert!(pieces.iter().all(|piece| piece.line == 1));
        assert_eq!(pieces.iter().map(|piece| piece.text.chars().count()).sum::<usize>(), PIECE);
    }
}
