//! What happens to an upload in the background: its text is read and kept, then its chunks are embedded.
//!
//! Text and chunks are written in one transaction, vectors in batches after it. Whatever stops in between leaves a file
//! that says so, and that is gone on with from there.

use std::sync::Arc;

use mneme_domain::{
    Actor, FileId, PassageId,
    archive::Passage,
    folder::{FileMetadata, FileStatus, Folder},
    llm_config::EmbeddingConfig,
};
use mneme_store::{
    files::{self, Text},
    folders,
};

use super::reader::Unread;
use crate::{Core, CoreError, Result, embedding, failpoint, supervise::guarded};

/// Tokens of a chunk unless the folder's model says otherwise.
const CHUNK_TOKENS: u32 = 300;
/// What a text that came without an upload is called for its reader.
const PLAIN: &str = "text.txt";
/// Agents in which a file opens by itself.
const MOST_READERS: u32 = 1_000;

/// How the work on a file ended.
enum Ended {
    /// It is ready, perhaps with a note.
    Ready(Option<String>),
    /// It cannot be read.
    Unreadable(String),
    /// It was deleted meanwhile, or another server has it.
    Gone,
}

impl Core {
    /// Reads and embeds a file in the background. It is among the busy ones already.
    pub(super) fn begin_ingest(self: &Arc<Self>, actor: Actor, id: FileId, name: String) {
        let core = Arc::clone(self);
        self.tasks.spawn(async move {
            let _ = guarded("the record of a file's work", core.ingest(&actor, &id, &name)).await;
            core.tidy_vectors();
            core.files.busy.lock().remove(&id);
        });
    }

    async fn ingest(self: &Arc<Self>, actor: &Actor, id: &FileId, name: &str) {
        let worked = async {
            let _place = self.files.places.acquire().await.map_err(|error| CoreError::Internal(error.to_string()))?;
            self.work_on(actor, id, name).await
        };
        let ended = tokio::select! {
            ended = guarded("the work on a file", worked) => ended.flatten(),
            // Whoever serves next goes on with it.
            () = self.closing.cancelled() => return,
        };
        let written = match ended {
            Ok(Ended::Gone) => {
                self.forget_spool(id).await;
                return;
            }
            Ok(Ended::Ready(note)) => self.end_ingest(actor, id, FileStatus::Completed, note.as_deref()).await,
            Ok(Ended::Unreadable(reason)) => self.end_ingest(actor, id, FileStatus::Error, Some(&reason)).await,
            Err(CoreError::Unavailable(reason)) => {
                tracing::warn!(file = %id, %reason, "the work on a file is put off");
                return;
            }
            Err(error) => {
                tracing::error!(file = %id, %error, "a file could not be made ready");
                self.end_ingest(actor, id, FileStatus::Error, Some("The server could not read the file")).await
            }
        };
        match written {
            Ok(()) => self.forget_spool(id).await,
            Err(error) => tracing::warn!(file = %id, %error, "the state of a file cannot be written yet"),
        }
    }

    async fn end_ingest(&self, actor: &Actor, id: &FileId, status: FileStatus, note: Option<&str>) -> Result<()> {
        let mut tx = self.store.write().await?;
        files::finish(&mut tx, actor, id, status, note, self.env.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a file as far as it goes from where it is.
    async fn work_on(self: &Arc<Self>, actor: &Actor, id: &FileId, name: &str) -> Result<Ended> {
        let Some((file, folder)) = self.file_and_folder(actor, id).await? else { return Ok(Ended::Gone) };
        if file.processing_status == FileStatus::Parsing {
            let tokens = folder.embedding_config.as_ref().and_then(|config| config.embedding_chunk_size);
            let kept = files::content(&mut self.store.read().await?, actor, id).await?;
            let name = match &kept {
                // It came as a text, whatever its name says.
                Some(text) => {
                    self.spool_text(id, text).await?;
                    PLAIN
                }
                None => name,
            };
            let document = match self.read_document(id, name, tokens.unwrap_or(CHUNK_TOKENS)).await {
                Ok(document) => document,
                Err(Unread::Document(reason)) => return Ok(Ended::Unreadable(reason)),
                Err(Unread::Server(reason)) => {
                    return Err(CoreError::Unavailable(format!("documents cannot be read: {reason}")));
                }
            };
            failpoint::hit("file.read");
            let lines = i64::try_from(document.text.lines().count()).unwrap_or(i64::MAX);
            let mut tx = self.store.write().await?;
            // The folder may have got another name while the document was read; from here on it gets none.
            folders::lock(&mut tx, actor, &folder.id).await?;
            let Some(file) = files::find(&mut tx, actor, id).await? else { return Ok(Ended::Gone) };
            let chunks = self.chunks(actor, &file, &document.text, &document.chunks);
            let media_type = match &file.file_type {
                Some(known) if kept.is_some() => known,
                _ => &document.media_type,
            };
            let text = Text { media_type, text: &document.text, lines, chunks: &chunks };
            if !files::store_text(&mut tx, actor, id, &self.replica, &text, self.env.now()).await? {
                return Ok(Ended::Gone);
            }
            failpoint::hit("file.unstored");
            tx.commit().await?;
            failpoint::hit("file.stored");
            // What came as a text is open where it was open before.
            if kept.is_none() {
                self.open_in_readers(actor, &folder, id, &document.text).await?;
            }
        }
        self.embed_chunks(actor, id, folder).await
    }

    async fn file_and_folder(&self, actor: &Actor, id: &FileId) -> Result<Option<(FileMetadata, Folder)>> {
        let mut conn = self.store.read().await?;
        let Some(file) = files::find(&mut conn, actor, id).await? else { return Ok(None) };
        let folder = folders::get(&mut conn, actor, &file.source_id).await?;
        Ok(folder.map(|folder| (file, folder)))
    }

    /// The chunks of a text as passages of its folder.
    fn chunks(&self, actor: &Actor, file: &FileMetadata, text: &str, places: &[(usize, usize)]) -> Vec<Passage> {
        let now = self.env.now();
        let passage = |part: &str| Passage {
            id: PassageId::from_uuid(self.env.uuid()),
            text: part.to_owned(),
            embedding: None,
            embedding_config: None,
            archive_id: None,
            source_id: Some(file.source_id.to_string()),
            file_id: Some(file.id.to_string()),
            file_name: Some(file.file_name.clone()),
            metadata: Some(mneme_domain::JsonObject::new()),
            tags: None,
            is_deleted: false,
            created_at: now,
            updated_at: Some(now),
            created_by_id: Some(actor.user.to_string()),
            last_updated_by_id: Some(actor.user.to_string()),
        };
        places.iter().filter_map(|(start, end)| text.get(*start..*end)).map(passage).collect()
    }

    /// Gives the chunks that have none their vectors. Without a model, or one that answers, the file is ready all the same:
    /// it is read and found by its words.
    pub(super) async fn embed_chunks_noted(
        &self,
        actor: &Actor,
        id: &FileId,
        mut folder: Folder,
    ) -> Result<Option<Option<String>>> {
        loop {
            let Some(config) = folder.embedding_config.clone() else {
                let note = "There is no embedding model: the file is found by its words only";
                return Ok(Some(Some(note.to_owned())));
            };
            let batch = files::unembedded(&mut self.store.read().await?, actor, id, super::embed::BATCH).await?;
            if batch.is_empty() {
                return Ok(Some(None));
            }
            let vectors = match self.chunk_vectors(actor, &config, &batch).await {
                Ok(vectors) => vectors,
                Err(error) => {
                    tracing::warn!(file = %id, model = config.name(), %error, "a file's chunks could not be embedded");
                    let lack = embedding::lack(&format!("folder '{}'", folder.name), &config, &error);
                    let note = format!(
                        "Not everything could be embedded, so parts are found by their words only for now: {lack}"
                    );
                    return Ok(Some(Some(note.chars().take(500).collect())));
                }
            };
            let mut tx = self.store.write().await?;
            // Whoever changes a folder with all its parts holds it first, and so does this: neither waits for the other half way.
            folders::lock(&mut tx, actor, &folder.id).await?;
            if !files::embedded(&mut tx, actor, id, &config, &vectors, self.env.now()).await? {
                return Ok(None);
            }
            // The file is held by now, so a folder that gets another model has it already or waits for this.
            let Some(present) = folders::get(&mut tx, actor, &folder.id).await? else { return Ok(None) };
            if present.embedding_config.as_ref().map(EmbeddingConfig::name) != Some(config.name()) {
                folder = present;
                continue;
            }
            tx.commit().await?;
            failpoint::hit("file.embedded");
        }
    }

    async fn embed_chunks(&self, actor: &Actor, id: &FileId, folder: Folder) -> Result<Ended> {
        Ok(match self.embed_chunks_noted(actor, id, folder).await? {
            Some(note) => Ended::Ready(note),
            None => Ended::Gone,
        })
    }

    /// Opens a file that became readable in the agents that have its folder.
    async fn open_in_readers(&self, actor: &Actor, folder: &Folder, id: &FileId, text: &str) -> Result<()> {
        let readers = {
            let mut conn = self.store.read().await?;
            files::readers(&mut conn, actor, &folder.id, MOST_READERS).await?
        };
        for agent in readers {
            // An agent that is gone by now, or keeps no file open, is no reason to stop.
            if let Err(error) = self.open_by_itself(actor, &agent, id, text).await {
                tracing::debug!(%agent, file = %id, %error, "a file did not open by itself");
            }
        }
        Ok(())
    }
}
