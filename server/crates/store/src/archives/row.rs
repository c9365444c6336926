//! The row of an archive.

use mneme_domain::{
    ArchiveId,
    archive::{Archive, VectorDbProvider},
    clock::from_micros,
};

use crate::{Result, json, sql::Arg};

/// The columns that [`ArchiveRow`] reads, of `archives r`.
macro_rules! columns {
    () => {
        "r.id, r.name, r.description, r.embedding_config, r.metadata, r.created_at, r.updated_at, r.created_by_id, \
         r.last_updated_by_id"
    };
}
pub(crate) use columns;

/// The columns that [`values`] fills, after the organisation and the two times.
pub(super) const VALUES: &str = "org_id, created_at, updated_at, id, name, description, embedding_config, metadata, created_by_id, last_updated_by_id";

/// An archive's values in the order of [`VALUES`].
pub(super) fn values(archive: &Archive) -> Result<Vec<Arg<'_>>> {
    Ok(vec![
        (&archive.id).into(),
        (&archive.name).into(),
        (&archive.description).into(),
        json::optional_text(archive.embedding_config.as_ref())?.into(),
        json::optional_text(archive.metadata.as_ref())?.into(),
        (&archive.created_by_id).into(),
        (&archive.last_updated_by_id).into(),
    ])
}

#[derive(mneme_macros::FromRow)]
pub(crate) struct ArchiveRow {
    id: String,
    name: String,
    description: Option<String>,
    embedding_config: Option<String>,
    metadata: Option<String>,
    created_at: i64,
    updated_at: i64,
    created_by_id: Option<String>,
    last_updated_by_id: Option<String>,
}

impl TryFrom<ArchiveRow> for Archive {
    type Error = crate::StoreError;

    fn try_from(row: ArchiveRow) -> Result<Self> {
        Ok(Self {
            id: ArchiveId::trusted(row.id),
            name: row.name,
            description: row.description,
            vector_db_provider: VectorDbProvider::Native,
            embedding_config: json::optional_value("archives.embedding_config", row.embedding_config.as_deref())?,
            metadata: json::optional_value("archives.metadata", row.metadata.as_deref())?,
            created_at: from_micros(row.created_at),
            updated_at: Some(from_micros(row.updated_at)),
            created_by_id: row.created_by_id,
            last_updated_by_id: row.last_updated_by_id,
        })
    }
}
