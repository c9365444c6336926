//! The row of a folder.

use mneme_domain::{SourceId, clock::from_micros, folder::Folder};

use crate::{Result, json, sql::Arg};

/// The columns that [`FolderRow`] reads, of `sources s`.
macro_rules! columns {
    () => {
        "s.id, s.name, s.description, s.instructions, s.embedding_config, s.metadata, s.created_at, s.updated_at, \
         s.created_by_id, s.last_updated_by_id"
    };
}
pub(crate) use columns;

/// The columns that [`values`] fills, after the organisation and the two times.
pub(super) const VALUES: &str = "org_id, created_at, updated_at, id, name, description, instructions, embedding_config, metadata, \
    created_by_id, last_updated_by_id";

/// A folder's values in the order of [`VALUES`].
pub(super) fn values(folder: &Folder) -> Result<Vec<Arg<'_>>> {
    Ok(vec![
        (&folder.id).into(),
        (&folder.name).into(),
        (&folder.description).into(),
        (&folder.instructions).into(),
        json::optional_text(folder.embedding_config.as_ref())?.into(),
        json::optional_text(folder.metadata.as_ref())?.into(),
        (&folder.created_by_id).into(),
        (&folder.last_updated_by_id).into(),
    ])
}

#[derive(mneme_macros::FromRow)]
pub(crate) struct FolderRow {
    id: String,
    name: String,
    description: Option<String>,
    instructions: Option<String>,
    embedding_config: Option<String>,
    metadata: Option<String>,
    created_at: i64,
    updated_at: i64,
    created_by_id: Option<String>,
    last_updated_by_id: Option<String>,
}

impl TryFrom<FolderRow> for Folder {
    type Error = crate::StoreError;

    fn try_from(row: FolderRow) -> Result<Self> {
        Ok(Self {
            id: SourceId::trusted(row.id),
            name: row.name,
            description: row.description,
            instructions: row.instructions,
            metadata: json::optional_value("sources.metadata", row.metadata.as_deref())?,
            embedding_config: json::optional_value("sources.embedding_config", row.embedding_config.as_deref())?,
            created_by_id: row.created_by_id,
            last_updated_by_id: row.last_updated_by_id,
            created_at: from_micros(row.created_at),
            updated_at: Some(from_micros(row.updated_at)),
        })
    }
}
