//! Folders and files that come with their texts, as an import brings them: they are written in its transaction, and the
//! files are read and embedded after it as uploads are.

use std::sync::Arc;

use mneme_domain::{
    Actor, FileId, SourceId, Timestamp,
    agent::Agent,
    folder::{FileStatus, Folder, MAX_NAME_CHARS},
    tool::ToolType,
};
use mneme_store::{
    Conn,
    files::{self, NewFile},
    folders, tools,
};

use super::{
    upload::{free_name, guessed},
    view::window,
};
use crate::{Core, CoreError, Result};

/// Numbers that are tried behind a folder's name that is taken.
const SUFFIXES: usize = 10_000;
/// What a file says that came without its text.
const NO_TEXT: &str = "It came without its text; upload it again";

/// A file that comes without an upload.
pub(crate) struct Arriving {
    pub id: FileId,
    pub folder: SourceId,
    pub name: String,
    pub original_name: String,
    pub media_type: Option<String>,
    /// Bytes, as it was uploaded once.
    pub size: i64,
    pub text: Option<String>,
    /// Why there is no text.
    pub error: Option<String>,
}

/// Files that are written and not committed yet. They count as being worked on, or a sweep would take them for somebody's
/// that is gone.
pub(crate) struct Arrivals<'a> {
    core: &'a Arc<Core>,
    waiting: Vec<(FileId, String)>,
}

impl<'a> Arrivals<'a> {
    pub(crate) fn new(core: &'a Arc<Core>) -> Self {
        Self { core, waiting: Vec::new() }
    }

    /// Writes a file into its folder. One whose name is taken there gets a number behind it.
    pub(crate) async fn add(&mut self, tx: &mut Conn, actor: &Actor, file: &Arriving) -> Result<()> {
        let own = match files::by_name(tx, actor, &file.folder, &file.name).await? {
            Some(_) => free_name(tx, actor, &file.folder, &file.name).await?,
            None => file.name.clone(),
        };
        let media_type = guessed(&file.name, file.media_type.as_deref());
        let now = self.core.env.now();
        let row = NewFile {
            id: &file.id,
            folder: &file.folder,
            name: &own,
            original_name: &file.original_name,
            media_type: Some(file.media_type.as_deref().unwrap_or(&media_type)),
            size: file.size,
            owner: &self.core.replica,
            now,
        };
        files::insert(tx, actor, &row).await?;
        match &file.text {
            Some(text) => {
                files::keep(tx, actor, &file.id, text).await?;
                self.core.files.busy.lock().insert(file.id.clone());
                self.waiting.push((file.id.clone(), file.original_name.clone()));
            }
            None => {
                let reason = file.error.as_deref().unwrap_or(NO_TEXT);
                files::finish(tx, actor, &file.id, FileStatus::Error, Some(reason), now).await?;
            }
        }
        Ok(())
    }

    /// Has the files read and embedded in the background, now that they are committed.
    pub(crate) fn begin(mut self, actor: &Actor) {
        for (id, name) in std::mem::take(&mut self.waiting) {
            self.core.begin_ingest(actor.clone(), id, name);
        }
    }
}

impl Drop for Arrivals<'_> {
    fn drop(&mut self) {
        let mut busy = self.core.files.busy.lock();
        for (id, _) in &self.waiting {
            busy.remove(id);
        }
    }
}

impl Core {
    /// Writes a folder. One whose name is taken gets a number behind it.
    pub(crate) async fn adopt_folder(&self, tx: &mut Conn, actor: &Actor, folder: &mut Folder) -> Result<()> {
        if folders::by_name(tx, actor, &folder.name).await?.is_some() {
            folder.name = free_folder_name(tx, actor, &folder.name).await?;
        }
        Ok(folders::insert(tx, actor, folder).await?)
    }

    /// Gives an agent that has folders the tools for files, unless it came with some of them.
    pub(crate) async fn ensure_file_tools(&self, tx: &mut Conn, actor: &Actor, agent: &Agent) -> Result<()> {
        let present = tools::of_agent(tx, actor, &agent.id).await?;
        if present.iter().any(|tool| tool.tool_type == ToolType::LettaFilesCore) {
            return Ok(());
        }
        self.give_file_tools(tx, actor, &agent.id).await
    }

    /// Opens a file for an agent that is just being made: the lines that it had open, counted from 1, or the front.
    pub(crate) async fn adopt_view(
        &self,
        tx: &mut Conn,
        actor: &Actor,
        agent: &Agent,
        file: &Arriving,
        lines: Option<(u64, u64)>,
        at: Timestamp,
    ) -> Result<()> {
        let Some(text) = &file.text else { return Ok(()) };
        let range =
            lines.map(|(first, last)| (first.saturating_sub(1), Some(last.saturating_add(1).saturating_sub(first))));
        let limit = agent.file_view_limit();
        let shown = window(text, range, limit).or_else(|| window(text, None, limit));
        match shown {
            Some(shown) => Ok(files::open(tx, actor, &agent.id, &file.id, &shown.view, at).await?),
            None => Ok(()),
        }
    }
}

/// The name with the first number behind it that is free: `notes_(1)`.
async fn free_folder_name(tx: &mut Conn, actor: &Actor, name: &str) -> Result<String> {
    // Room for the number.
    let stem: String = name.chars().take(MAX_NAME_CHARS - 10).collect();
    let mut number = 1;
    let mut wide = 20;
    while number < SUFFIXES {
        let names: Vec<String> = (number..number + wide).map(|number| format!("{stem}_({number})")).collect();
        let taken = folders::taken(tx, actor, names.clone()).await?;
        if let Some(free) = names.into_iter().find(|name| !taken.contains(name)) {
            return Ok(free);
        }
        number += wide;
        wide = 500;
    }
    Err(CoreError::Conflict(format!("There are {SUFFIXES} folders called '{name}'; rename some")))
}
