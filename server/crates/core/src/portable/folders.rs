//! Folders and their files in agent files: read and made, and written.

use std::{collections::HashMap, sync::Arc};

use chrono::TimeDelta;
use mneme_domain::{
    Actor, FileId, JsonObject, Order, Page, SourceId,
    agent::{Agent, AgentFull},
    folder::{FileMetadata, Folder},
    llm_config::EmbeddingConfig,
};
use mneme_macros::boxed;
use mneme_store::{Conn, files, folders};
use serde_json::{Value, json};

use super::{
    ImportOptions, entities,
    import::relabel,
    lenient::{Fault, field, objects, settings, text, texts, time},
    plan::{listed, wrong},
};
use crate::{
    Core, Result,
    files::{Arrivals, Arriving, Naming, check_name},
};

/// The most characters of a media type.
const MEDIA_TYPE: usize = 200;
/// Files that are read about at once.
const PAGE: u32 = 500;
/// The most files of an agent file that is written: as many as one is read with.
const MOST_FILES: usize = 10_000;
/// The most mentions of files that agents have closed.
const MOST_CLOSED: usize = 10_000;
/// Bytes of files in an agent file that is written, texts and all: less than what one is read with, because there is more
/// in it.
const ROOM: usize = 48 << 20;
/// What a file says whose text had no room.
const NO_ROOM: &str = "The agent file had no room for its text; upload it again";

/// The folders of a file that is read, with their files.
#[derive(Default)]
pub struct Shelf {
    folders: Vec<Placed<Folder>>,
    files: Vec<Placed<Arriving>>,
    /// Places in the two lists, by their names in the file.
    folder_names: HashMap<String, usize>,
    file_names: HashMap<String, usize>,
}

/// Something with what it is called when it is wrong.
struct Placed<T> {
    place: String,
    it: T,
}

/// What an agent has of the folders.
#[derive(Debug, Default)]
pub struct Attached {
    folders: Vec<SourceId>,
    /// What it has open, the least recently used first: places in the list of files, and the lines.
    open: Vec<(usize, Option<(u64, u64)>)>,
}

impl Core {
    /// Works out the folders and files of a file.
    pub(super) async fn plan_folders(
        self: &Arc<Self>,
        actor: &Actor,
        rest: &mut JsonObject,
        options: &ImportOptions,
    ) -> Result<Shelf> {
        let mut shelf = Shelf::default();
        let mut models: HashMap<String, Option<EmbeddingConfig>> = HashMap::new();
        for (place, fields) in listed(rest, "sources")? {
            let name = entities::name_in_file(&fields).map_err(|fault| wrong(&place, fault))?;
            let wanted = wanted_model(&fields, options).map_err(|fault| wrong(&place, fault))?;
            let mut folder = self.planned_folder(actor, &fields).map_err(|fault| wrong(&place, fault))?;
            let key = wanted.clone().unwrap_or_default();
            let model = match models.get(&key) {
                Some(known) => known.clone(),
                None => {
                    let found = self.folder_model(actor, wanted).await.map_err(|error| relabel(&place, error))?;
                    models.insert(key, found.clone());
                    found
                }
            };
            // Chunks stay as large as they were, whatever embeds them.
            let tokens = chunk_tokens(&fields).map_err(|fault| wrong(&place, fault))?;
            folder.embedding_config = model
                .map(|model| EmbeddingConfig { embedding_chunk_size: tokens.or(model.embedding_chunk_size), ..model });
            if shelf.folder_names.insert(name, shelf.folders.len()).is_some() {
                return Err(wrong(&place, "another of the folders has the same id"));
            }
            shelf.folders.push(Placed { place, it: folder });
        }
        for (place, fields) in listed(rest, "files")? {
            let name = entities::name_in_file(&fields).map_err(|fault| wrong(&place, fault))?;
            let file = self.planned_file(&shelf, &name, fields).map_err(|fault| wrong(&place, fault))?;
            if shelf.file_names.insert(name, shelf.files.len()).is_some() {
                return Err(wrong(&place, "another of the files has the same id"));
            }
            shelf.files.push(Placed { place, it: file });
        }
        Ok(shelf)
    }

    fn planned_folder(&self, actor: &Actor, fields: &JsonObject) -> std::result::Result<Folder, Fault> {
        let name = text(fields, "name")?.ok_or("it has no name")?;
        check_name(&name).map_err(|error| error.to_string())?;
        let now = self.env.now();
        Ok(Folder {
            name,
            description: text(fields, "description")?,
            instructions: text(fields, "instructions")?,
            metadata: field(fields, "metadata")?,
            id: SourceId::from_uuid(self.env.uuid()),
            embedding_config: None,
            created_by_id: Some(actor.user.to_string()),
            last_updated_by_id: Some(actor.user.to_string()),
            created_at: now,
            updated_at: Some(now),
        })
    }

    /// The model of a folder: files are embedded anew, so one that this server does not have is none to insist on.
    async fn folder_model(self: &Arc<Self>, actor: &Actor, wanted: Option<String>) -> Result<Option<EmbeddingConfig>> {
        if let Some(handle) = wanted {
            match self.embedding_model(actor, &handle).await {
                Ok(model) => return Ok(Some(model)),
                Err(error) => tracing::debug!(%handle, %error, "a folder of an agent file gets another model"),
            }
        }
        self.choose_embedding(actor, None, None, None).await
    }

    fn planned_file(&self, shelf: &Shelf, name: &str, mut fields: JsonObject) -> std::result::Result<Arriving, Fault> {
        let folder = text(&fields, "source_id")?.ok_or("it has no source_id")?;
        let place = shelf.folder_names.get(&folder);
        let folder = place.and_then(|place| shelf.folders.get(*place)).map(|folder| folder.it.id.clone());
        let folder = folder.ok_or("source_id: it is not in the file")?;
        let content = match fields.shift_remove("content") {
            None | Some(Value::Null) => None,
            Some(Value::String(content)) => Some(content),
            Some(_) => return Err("content: it is no text".into()),
        };
        let given = |key: &str| Ok::<_, Fault>(text(&fields, key)?.filter(|name| !name.trim().is_empty()));
        let original = given("original_file_name")?;
        let sent = given("file_name")?.or_else(|| original.clone()).unwrap_or_else(|| name.to_owned());
        let named = |sent: String| {
            let naming = Naming { sent, wanted: None, media_type: None };
            naming.name().map_err(|error| error.to_string())
        };
        let name = named(sent)?;
        let original_name = match original {
            Some(original) => named(original)?,
            None => name.clone(),
        };
        let length = content.as_ref().map_or(0, String::len);
        Ok(Arriving {
            id: FileId::from_uuid(self.env.uuid()),
            folder,
            name,
            original_name,
            media_type: text(&fields, "file_type")?.filter(|kind| kind.len() <= MEDIA_TYPE),
            size: field::<i64>(&fields, "file_size")?
                .filter(|size| *size >= 0)
                .unwrap_or_else(|| i64::try_from(length).unwrap_or(i64::MAX)),
            text: content,
            error: text(&fields, "error_message")?,
        })
    }
}

/// The model that a folder asks for, by its handle.
fn wanted_model(fields: &JsonObject, options: &ImportOptions) -> std::result::Result<Option<String>, Fault> {
    if options.embedding.is_some() {
        return Ok(options.embedding.clone());
    }
    let config: Option<EmbeddingConfig> =
        settings(fields, "embedding_config", &[("embedding_endpoint_type", "openai".into())])?;
    Ok(match config {
        Some(config) => Some(config.name().to_owned()),
        None => text(fields, "embedding")?,
    })
}

/// Tokens of a chunk, if the folder says it.
fn chunk_tokens(fields: &JsonObject) -> std::result::Result<Option<u32>, Fault> {
    let config: JsonObject = field(fields, "embedding_config")?.unwrap_or_default();
    match field(&config, "embedding_chunk_size")? {
        Some(tokens) => Ok(Some(tokens)),
        None => field(fields, "embedding_chunk_size"),
    }
}

#[boxed]
impl Shelf {
    /// What an agent has of the folders.
    pub fn attached(&self, fields: &JsonObject) -> std::result::Result<Attached, Fault> {
        let mut attached = Attached::default();
        // There are files that name folders and hold none.
        if self.folders.is_empty() {
            return Ok(attached);
        }
        for name in texts(fields, "source_ids")? {
            let place = self.folder_names.get(&name);
            let folder = place.and_then(|place| self.folders.get(*place));
            let folder = folder.ok_or_else(|| format!("source_ids: '{name}' is not in the file"))?;
            attached.add(&folder.it.id);
        }
        let mut open = Vec::new();
        for (index, given) in objects(fields, "files_agents")?.iter().enumerate() {
            let fault = |fault: Fault| format!("files_agents[{index}]: {fault}");
            let name = text(given, "file_id").map_err(fault)?.ok_or_else(|| fault("it has no file_id".into()))?;
            let place = self.file_names.get(&name).copied();
            let file = place.and_then(|place| Some((place, self.files.get(place)?)));
            let (place, file) = file.ok_or_else(|| fault(format!("file_id: '{name}' is not in the file")))?;
            attached.add(&file.it.folder);
            if field::<bool>(given, "is_open").map_err(fault)?.unwrap_or(true) {
                let line =
                    |key: &str| Ok::<_, Fault>(field::<u64>(given, key).map_err(fault)?.filter(|line| *line > 0));
                let lines = line("start_line")?.zip(line("end_line")?);
                open.push((time(given, "last_accessed_at").map_err(fault)?, place, lines));
            }
        }
        open.sort_by_key(|(at, ..)| *at);
        attached.open = open.into_iter().map(|(_, place, lines)| (place, lines)).collect();
        Ok(attached)
    }

    /// Writes the folders and files. The files are read once that is committed.
    pub async fn write<'a>(&mut self, core: &'a Arc<Core>, tx: &mut Conn, actor: &Actor) -> Result<Arrivals<'a>> {
        for Placed { place, it } in &mut self.folders {
            core.adopt_folder(tx, actor, it).await.map_err(|error| relabel(place, error))?;
        }
        let mut arrivals = Arrivals::new(core);
        for Placed { place, it } in &self.files {
            arrivals.add(tx, actor, it).await.map_err(|error| relabel(place, error))?;
        }
        Ok(arrivals)
    }

    /// Gives an agent its folders, and opens what it had open.
    pub async fn attach(
        &self,
        core: &Core,
        tx: &mut Conn,
        actor: &Actor,
        agent: &Agent,
        attached: &Attached,
    ) -> Result<()> {
        if attached.folders.is_empty() {
            return Ok(());
        }
        for folder in &attached.folders {
            folders::attach(tx, actor, &agent.id, folder).await?;
        }
        core.ensure_file_tools(tx, actor, agent).await?;
        let most = usize::try_from(agent.files_open_limit()).unwrap_or(0);
        let mut at = core.env.now();
        for (place, lines) in attached.open.iter().skip(attached.open.len().saturating_sub(most)) {
            if let Some(file) = self.files.get(*place) {
                core.adopt_view(tx, actor, agent, &file.it, *lines, at).await?;
                at += TimeDelta::microseconds(1);
            }
        }
        Ok(())
    }
}

impl Attached {
    fn add(&mut self, folder: &SourceId) {
        if !self.folders.contains(folder) {
            self.folders.push(folder.clone());
        }
    }
}

/// The folders of a file that is written, with what is known of their files.
pub struct Library {
    folders: Vec<Folder>,
    files: Vec<FileMetadata>,
    /// Bytes that there is room for yet.
    room: usize,
    /// Closed files that may be mentioned yet.
    closed: usize,
    /// Mentions of files so far.
    mentions: usize,
}

#[boxed]
impl Library {
    /// The folders of these agents, each once.
    pub async fn of(core: &Core, actor: &Actor, agents: &[AgentFull]) -> Result<Self> {
        let mut library = Self { folders: Vec::new(), files: Vec::new(), room: ROOM, closed: MOST_CLOSED, mentions: 0 };
        for folder in agents.iter().flat_map(|full| &full.folders) {
            if library.folders.iter().any(|known| known.id == folder.id) {
                continue;
            }
            library.folders.push(folder.clone());
            let mut page = Page { before: None, after: None, limit: PAGE, order: Order::Asc };
            loop {
                let found = files::list(&mut core.store.read().await?, actor, &folder.id, &page).await?;
                let full = u32::try_from(found.len()).is_ok_and(|count| count >= PAGE);
                page.after = found.last().map(|file| file.id.to_string());
                library.files.extend(found);
                if !full || library.files.len() >= MOST_FILES {
                    break;
                }
            }
        }
        library.files.truncate(MOST_FILES);
        Ok(library)
    }

    fn folder_name(&self, id: &SourceId) -> Option<String> {
        self.folders.iter().position(|folder| folder.id == *id).map(|index| format!("source-{index}"))
    }

    /// What a file calls the folders of an agent.
    pub fn folders_of(&self, full: &AgentFull) -> Vec<String> {
        full.folders.iter().filter_map(|folder| self.folder_name(&folder.id)).collect()
    }

    /// What an agent does with the files: which it has open, and which it could open.
    pub fn views_of(&mut self, full: &AgentFull, agent: &str) -> Vec<Value> {
        let mut views = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            if !full.folders.iter().any(|folder| folder.id == file.source_id) {
                continue;
            }
            let open = full.open_files.iter().find(|open| open.file_id == file.id);
            if open.is_none() && self.closed == 0 {
                continue;
            }
            self.closed = self.closed.saturating_sub(usize::from(open.is_none()));
            let shown = open.and_then(|open| open.visible_content.as_ref()).filter(|text| text.len() < self.room);
            self.room = self.room.saturating_sub(shown.map_or(0, String::len));
            views.push(json!({
                "agent_id": agent,
                "file_id": format!("file-{index}"),
                "source_id": self.folder_name(&file.source_id),
                "file_name": file.file_name,
                "is_open": open.is_some(),
                "visible_content": shown,
                "last_accessed_at": open.and_then(|open| open.last_accessed_at).map(|at| at.to_rfc3339()),
                "start_line": open.and_then(|open| open.start_line),
                "end_line": open.and_then(|open| open.end_line),
                "id": format!("file_agent-{}", self.mentions),
            }));
            self.mentions += 1;
        }
        views
    }

    /// How many files there are.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// A file as JSON, with its text while there is room.
    pub async fn file(&mut self, core: &Core, actor: &Actor, index: usize) -> Result<String> {
        let Some(file) = self.files.get(index) else { return Ok("null".into()) };
        let content = files::content(&mut core.store.read().await?, actor, &file.id).await?;
        let mut fields = json!({
            "source_id": self.folder_name(&file.source_id),
            "file_name": file.file_name,
            "original_file_name": file.original_file_name,
            "file_path": null,
            "file_type": file.file_type,
            "file_size": file.file_size,
            "file_creation_date": file.file_creation_date,
            "file_last_modified_date": file.file_last_modified_date,
            "processing_status": file.processing_status,
            "error_message": file.error_message,
            "total_chunks": file.total_chunks,
            "chunks_embedded": file.chunks_embedded,
            "content": content,
            "id": format!("file-{index}"),
        });
        let mut written = fields.to_string();
        if written.len() > self.room {
            fields["content"] = Value::Null;
            fields["error_message"] = NO_ROOM.into();
            written = fields.to_string();
        }
        self.room = self.room.saturating_sub(written.len());
        Ok(written)
    }

    /// The folders.
    pub fn folders(&self) -> Vec<Value> {
        let written = |(index, folder): (usize, &Folder)| {
            json!({
                "name": folder.name,
                "description": folder.description,
                "instructions": folder.instructions,
                "metadata": folder.metadata,
                "embedding": null,
                "embedding_chunk_size": null,
                "embedding_config": folder.embedding_config,
                "id": format!("source-{index}"),
            })
        };
        self.folders.iter().enumerate().map(written).collect()
    }
}
