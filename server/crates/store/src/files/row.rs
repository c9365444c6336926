//! The row of a file.

use mneme_domain::{
    FileId, SourceId,
    clock::from_micros,
    folder::{FileMetadata, FileStatus},
};

use crate::{Result, json};

/// The columns that [`FileRow`] reads, of `files f` and its folder `sources s`.
macro_rules! columns {
    () => {
        "f.id, f.source_id, s.name || '/' || f.file_name as file_name, f.original_file_name, f.file_type, f.file_size, \
         f.status, f.error_message, f.total_chunks, f.chunks_embedded, f.created_at, f.updated_at"
    };
}
pub(crate) use columns;

/// A file with its folder.
macro_rules! from {
    () => {
        " from files f join sources s on s.org_id = f.org_id and s.id = f.source_id"
    };
}
pub(crate) use from;

#[derive(mneme_macros::FromRow)]
pub(crate) struct FileRow {
    id: String,
    source_id: String,
    file_name: String,
    original_file_name: String,
    file_type: Option<String>,
    file_size: i64,
    status: String,
    error_message: Option<String>,
    total_chunks: Option<i64>,
    chunks_embedded: Option<i64>,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<FileRow> for FileMetadata {
    type Error = crate::StoreError;

    fn try_from(row: FileRow) -> Result<Self> {
        Ok(Self {
            source_id: SourceId::trusted(row.source_id),
            file_name: row.file_name,
            original_file_name: row.original_file_name,
            file_path: None,
            file_type: row.file_type,
            file_size: row.file_size,
            file_creation_date: None,
            file_last_modified_date: None,
            processing_status: json::named("files.status", &row.status, FileStatus::from_name)?,
            error_message: row.error_message,
            total_chunks: row.total_chunks,
            chunks_embedded: row.chunks_embedded,
            content: None,
            id: FileId::trusted(row.id),
            created_at: from_micros(row.created_at),
            updated_at: Some(from_micros(row.updated_at)),
        })
    }
}
