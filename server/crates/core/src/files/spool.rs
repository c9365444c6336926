//! Where an upload lies while it arrives and until it is read: a folder of its own, which the reader of documents sees and
//! nothing else. It outlives the process, so what was received is not lost with it.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use mneme_domain::FileId;
use mneme_macros::boxed;
use tokio::{fs, io::AsyncWriteExt};

use crate::{Core, CoreError, Result};

/// The file in the folder.
const NAME: &str = "content";
/// The same while it arrives.
const PARTIAL: &str = "content.part";
/// Bytes at the beginning by which a file is judged before the rest arrives.
const HEAD: usize = 1_024;
/// What was left behind is removed after this time; an upload cannot take as long.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// An upload that arrives. Dropped before its end it leaves nothing.
pub struct Spool {
    id: FileId,
    folder: PathBuf,
    file: Option<fs::File>,
    head: Vec<u8>,
    size: usize,
    most: usize,
    kept: bool,
}

#[boxed]
impl Spool {
    /// Adds bytes.
    ///
    /// # Errors
    /// 503 when the disk does not take them.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let room = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.size += bytes.len();
        match &mut self.file {
            Some(file) => file.write_all(bytes).await.map_err(|error| unwritable(&error)),
            None => Err(CoreError::Internal("an upload goes on after its end".into())),
        }
    }

    /// Whether so many more bytes would be too many.
    pub fn overflows(&self, more: usize) -> bool {
        self.size.saturating_add(more) > self.most
    }

    /// The most bytes.
    pub fn limit(&self) -> usize {
        self.most
    }

    /// The first bytes.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    pub(super) fn id(&self) -> &FileId {
        &self.id
    }

    pub(super) fn size(&self) -> i64 {
        i64::try_from(self.size).unwrap_or(i64::MAX)
    }

    /// Makes sure that all is on the disk under its last name.
    pub(super) async fn close(&mut self) -> Result<()> {
        if let Some(mut file) = self.file.take() {
            let written = async {
                // The last write may have failed behind its back.
                file.flush().await?;
                file.sync_all().await?;
                fs::rename(self.folder.join(PARTIAL), self.folder.join(NAME)).await
            };
            written.await.map_err(|error| unwritable(&error))?;
        }
        Ok(())
    }

    /// Leaves it to whoever reads it.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if !self.kept {
            // A short list of two names; nobody waits for it.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn unwritable(error: &io::Error) -> CoreError {
    tracing::warn!(%error, "an upload cannot be stored");
    CoreError::Unavailable("The server cannot store the upload right now; its disk may be full".into())
}

#[boxed]
impl Core {
    /// A place for an upload.
    ///
    /// # Errors
    /// 503 when there is none.
    pub async fn open_spool(&self) -> Result<Spool> {
        let id = FileId::from_uuid(self.env.uuid());
        let folder = self.spool_folder(&id);
        let made = async {
            private_folder(&folder).await?;
            fs::File::create(folder.join(PARTIAL)).await
        };
        let file = Some(made.await.map_err(|error| unwritable(&error))?);
        let most = self.config.files.max_bytes;
        Ok(Spool { id, folder, file, head: Vec::new(), size: 0, most, kept: false })
    }

    /// Puts a text where its reader looks for uploads.
    pub(super) async fn spool_text(&self, id: &FileId, text: &str) -> Result<()> {
        let folder = self.spool_folder(id);
        let written = async {
            private_folder(&folder).await?;
            fs::write(folder.join(NAME), text).await
        };
        written.await.map_err(|error| unwritable(&error))
    }

    /// The folder of an upload.
    pub(super) fn spool_folder(&self, id: &FileId) -> PathBuf {
        self.config.files.folder.join(id.to_string())
    }

    /// Whether an upload lies here, whole.
    pub(super) async fn has_spool(&self, id: &FileId) -> bool {
        fs::try_exists(self.spool_folder(id).join(NAME)).await.unwrap_or(false)
    }

    /// Removes an upload.
    pub(super) async fn forget_spool(&self, id: &FileId) {
        let folder = self.spool_folder(id);
        if let Err(error) = fs::remove_dir_all(&folder).await
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, folder = %folder.display(), "an upload cannot be removed");
        }
    }

    /// Removes what earlier servers left and nobody came back for.
    pub(super) async fn clear_spools(&self) {
        let Ok(mut entries) = fs::read_dir(&self.config.files.folder).await else { return };
        while let Ok(Some(entry)) = entries.next_entry().await {
            if is_stale(&entry.path()).await {
                let _ = fs::remove_dir_all(entry.path()).await;
            }
        }
    }
}

async fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(folder).await
}

async fn is_stale(path: &Path) -> bool {
    let Ok(data) = fs::metadata(path).await else { return false };
    let age = data.modified().ok().and_then(|at| at.elapsed().ok());
    data.is_dir() && age.is_some_and(|age| age > STALE)
}
