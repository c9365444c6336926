//! Files that nobody works on: those of servers that are gone, those whose work was put off, and those that could not be
//! embedded when their turn was.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use mneme_domain::{FileId, folder::FileStatus};
use mneme_store::{Engine, files, folders};

use crate::{
    Core, CoreError, Result,
    supervise::{guarded, kept_going},
};

/// Files looked at in one go.
const SWEEP: i64 = 50;
/// How often that is done for a folder that got another model; what is left then waits for the next look.
const ROUNDS: usize = 200;
/// How often one is begun again. What stops its server every time must not do so for ever.
const ATTEMPTS: i64 = 4;
/// How often somebody looks.
const LOOK: Duration = Duration::from_secs(5);
/// How many looks come between two at files without vectors.
const LOOKS: u32 = 120;
/// How long an upload that lies on another machine waits for its server to come back, in seconds.
const PATIENCE: i64 = 600;

const LOST: &str = "The server stopped before it had read the file; upload it again";
const STUCK: &str = "The server could not finish reading the file, however often it tried; upload it again later";

impl Core {
    /// Goes on with what was left, and looks for more from time to time.
    pub(crate) async fn begin_file_work(self: &Arc<Self>) -> Result<()> {
        self.sweep_files().await?;
        let core = Arc::downgrade(self);
        tokio::spawn(kept_going("the look for files", move || Self::look_for_files(core.clone())));
        Ok(())
    }

    async fn look_for_files(core: Weak<Self>) {
        let mut looks = 0_u32;
        loop {
            if let Some(core) = core.upgrade() {
                core.clear_spools().await;
            }
            tokio::time::sleep(LOOK).await;
            let Some(core) = core.upgrade() else { return };
            if core.closing.is_cancelled() {
                return;
            }
            looks += 1;
            let looked = async {
                core.sweep_files().await?;
                if looks.is_multiple_of(LOOKS) { core.embed_stragglers().await.map(drop) } else { Ok(()) }
            };
            if let Err(error) = looked.await {
                tracing::warn!(%error, "files that nobody works on cannot be looked for");
            }
        }
    }

    /// Takes over the files that nobody works on.
    pub(crate) async fn sweep_files(self: &Arc<Self>) -> Result<()> {
        let due = files::due(&mut self.store.read().await?, &self.replica, SWEEP).await?;
        for id in due {
            let busy = self.files.busy.lock().contains(&id);
            if !busy {
                // One that panics keeps nobody from the others.
                let taken = guarded("the takeover of a file", self.take_over_file(&id)).await;
                taken.unwrap_or(Ok(()))?;
            }
        }
        Ok(())
    }

    async fn take_over_file(self: &Arc<Self>, id: &FileId) -> Result<()> {
        let here = self.has_spool(id).await;
        let mut tx = self.store.write().await?;
        let Some(claimed) = files::claim(&mut tx, id, &self.replica).await? else { return Ok(()) };
        let waits = claimed.status == FileStatus::Parsing && !here;
        // What came as a text lies in the database.
        if waits && files::content(&mut tx, &claimed.actor, id).await?.is_none() {
            // On SQLite there is one machine, so nobody else has it.
            let alone = self.store.engine() == Engine::Sqlite;
            let file = files::find(&mut tx, &claimed.actor, id).await?;
            let since = file.and_then(|file| file.updated_at).unwrap_or_default();
            if !alone && (self.env.now() - since).num_seconds() < PATIENCE {
                // Not committed: its server may come back to it.
                return Ok(());
            }
            files::finish(&mut tx, &claimed.actor, id, FileStatus::Error, Some(LOST), self.env.now()).await?;
            return Ok(tx.commit().await?);
        }
        if claimed.attempts > ATTEMPTS {
            files::finish(&mut tx, &claimed.actor, id, FileStatus::Error, Some(STUCK), self.env.now()).await?;
            tx.commit().await?;
            self.forget_spool(id).await;
            return Ok(());
        }
        self.files.busy.lock().insert(id.clone());
        if let Err(error) = tx.commit().await {
            self.files.busy.lock().remove(id);
            return Err(error.into());
        }
        tracing::info!(file = %id, "the work on a file goes on");
        self.begin_ingest(claimed.actor, id.clone(), claimed.original_name);
        Ok(())
    }

    /// Embeds what has no vectors now, in the background, as far as its models can be asked.
    pub(super) fn embed_again(self: &Arc<Self>) {
        let core = Arc::clone(self);
        self.tasks.spawn(async move {
            let work = async {
                for _ in 0..ROUNDS {
                    if core.embed_stragglers().await? == 0 {
                        break;
                    }
                    core.tidy_vectors();
                }
                Ok::<(), CoreError>(())
            };
            tokio::select! {
                () = core.closing.cancelled() => {}
                done = work => if let Err(error) = done {
                    tracing::warn!(%error, "files could not be embedded anew yet");
                },
            }
        });
    }

    /// Tries again to embed what could not be embedded before; returns how many files have all their vectors now.
    async fn embed_stragglers(&self) -> Result<usize> {
        let mut done = 0;
        let found = files::stragglers(&mut self.store.read().await?, SWEEP).await?;
        for (actor, id) in found {
            let folder = {
                let mut conn = self.store.read().await?;
                match files::find(&mut conn, &actor, &id).await? {
                    Some(file) => folders::get(&mut conn, &actor, &file.source_id).await?,
                    None => None,
                }
            };
            let Some(folder) = folder.filter(|folder| folder.embedding_config.is_some()) else { continue };
            let embedding = self.embed_chunks_noted(&actor, &id, folder);
            if let Some(note) = guarded("the embedding of a file", embedding).await.unwrap_or(Ok(None))? {
                let mut tx = self.store.write().await?;
                let status = FileStatus::Completed;
                files::finish(&mut tx, &actor, &id, status, note.as_deref(), self.env.now()).await?;
                tx.commit().await?;
                done += usize::from(note.is_none());
            }
            if self.closing.is_cancelled() {
                break;
            }
        }
        Ok(done)
    }
}
