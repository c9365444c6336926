//! Files and chunks: listed, read, deleted.

use std::sync::Arc;

use mneme_domain::{Actor, FileId, Page, SourceId, archive::Passage, folder::FileMetadata};
use mneme_macros::boxed;
use mneme_store::files;

use super::folders::stored;
use crate::{Core, CoreError, Result};

/// Bytes of text that one answer holds; a page with texts ends where it is full.
const MOST_TEXT: usize = 64 << 20;

#[boxed]
impl Core {
    /// The files of a folder. With their texts a page may be shorter than asked for.
    ///
    /// # Errors
    /// 404 for an unknown folder.
    pub async fn list_files(
        self: &Arc<Self>,
        actor: &Actor,
        folder: &SourceId,
        with_text: bool,
        page: &Page,
    ) -> Result<Vec<FileMetadata>> {
        let mut conn = self.store.read().await?;
        stored(&mut conn, actor, folder).await?;
        let mut found = files::list(&mut conn, actor, folder, page).await?;
        if with_text {
            let (mut bytes, mut count) = (0, 0);
            for file in &mut found {
                file.content = files::content(&mut conn, actor, &file.id).await?;
                bytes += file.content.as_ref().map_or(0, String::len);
                count += 1;
                if bytes > MOST_TEXT {
                    break;
                }
            }
            found.truncate(count);
        }
        Ok(found)
    }

    /// One file of a folder.
    ///
    /// # Errors
    /// 404 for an unknown folder, or a file that is not in it.
    pub async fn get_file(
        self: &Arc<Self>,
        actor: &Actor,
        folder: &SourceId,
        id: &FileId,
        with_text: bool,
    ) -> Result<FileMetadata> {
        let mut conn = self.store.read().await?;
        let found = files::get(&mut conn, actor, folder, id).await?;
        let mut file = found.ok_or_else(|| CoreError::missing("File", id))?;
        if with_text {
            file.content = files::content(&mut conn, actor, id).await?;
        }
        Ok(file)
    }

    /// A file, whatever folder it is in, without its text.
    ///
    /// # Errors
    /// 404 for an unknown file.
    pub async fn find_file(self: &Arc<Self>, actor: &Actor, id: &FileId) -> Result<FileMetadata> {
        let mut conn = self.store.read().await?;
        let found = files::find(&mut conn, actor, id).await?;
        found.ok_or_else(|| CoreError::missing("File", id))
    }

    /// Deletes a file with its text and chunks; work on it under way ends.
    ///
    /// # Errors
    /// As [`Core::get_file`].
    pub async fn delete_file(self: &Arc<Self>, actor: &Actor, folder: &SourceId, id: &FileId) -> Result<()> {
        let mut tx = self.store.write().await?;
        if !files::delete(&mut tx, actor, folder, id).await? {
            return Err(CoreError::missing("File", id));
        }
        tx.commit().await?;
        self.forget_spool(id).await;
        Ok(())
    }

    /// The chunks of a folder's files.
    ///
    /// # Errors
    /// 404 for an unknown folder.
    pub async fn list_chunks(self: &Arc<Self>, actor: &Actor, folder: &SourceId, page: &Page) -> Result<Vec<Passage>> {
        let mut conn = self.store.read().await?;
        stored(&mut conn, actor, folder).await?;
        Ok(files::list_chunks(&mut conn, actor, folder, page).await?)
    }
}
