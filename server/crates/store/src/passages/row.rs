//! The row of a passage.

use mneme_domain::{ArchiveId, PassageId, archive::Passage, clock::from_micros};

use crate::{Result, json, sql::Arg, vectors::Vector};

/// The columns that [`PassageRow`] reads, of `passages p`.
macro_rules! columns {
    () => {
        "p.id, p.archive_id, p.source_id, p.file_id, p.file_name, p.text, p.tags, p.metadata, p.embedding_config, \
         p.created_at, p.updated_at, p.created_by_id, p.last_updated_by_id"
    };
}
pub(crate) use columns;

/// The columns that [`values`] fills, after the organisation.
pub(super) const VALUES: &str = "org_id, id, archive_id, source_id, file_id, file_name, text, tags, metadata, \
    embedding_config, created_at, updated_at, created_by_id, last_updated_by_id";

/// A passage's values in the order of [`VALUES`].
pub(super) fn values(passage: &Passage) -> Result<Vec<Arg<'_>>> {
    // A model without a vector would say that the text is embedded.
    let model = passage.embedding_config.as_ref().filter(|_| passage.embedding.is_some());
    Ok(vec![
        (&passage.id).into(),
        (&passage.archive_id).into(),
        (&passage.source_id).into(),
        (&passage.file_id).into(),
        (&passage.file_name).into(),
        (&passage.text).into(),
        json::optional_text(passage.tags.as_ref())?.into(),
        json::optional_text(passage.metadata.as_ref())?.into(),
        json::optional_text(model)?.into(),
        passage.created_at.into(),
        passage.updated_at.unwrap_or(passage.created_at).into(),
        (&passage.created_by_id).into(),
        (&passage.last_updated_by_id).into(),
    ])
}

#[derive(mneme_macros::FromRow)]
pub(crate) struct PassageRow {
    id: String,
    archive_id: Option<String>,
    source_id: Option<String>,
    file_id: Option<String>,
    file_name: Option<String>,
    text: String,
    tags: Option<String>,
    metadata: Option<String>,
    embedding_config: Option<String>,
    created_at: i64,
    updated_at: i64,
    created_by_id: Option<String>,
    last_updated_by_id: Option<String>,
}

/// The same with the vector.
#[derive(mneme_macros::FromRow)]
pub(crate) struct FullRow {
    #[row(flatten)]
    row: PassageRow,
    embedding: Option<Vector>,
}

impl TryFrom<PassageRow> for Passage {
    type Error = crate::StoreError;

    fn try_from(row: PassageRow) -> Result<Self> {
        Ok(Self {
            id: PassageId::trusted(row.id),
            text: row.text,
            embedding: None,
            embedding_config: json::optional_value("passages.embedding_config", row.embedding_config.as_deref())?,
            archive_id: row.archive_id.map(ArchiveId::trusted),
            source_id: row.source_id,
            file_id: row.file_id,
            file_name: row.file_name,
            metadata: json::optional_value("passages.metadata", row.metadata.as_deref())?,
            tags: json::optional_value("passages.tags", row.tags.as_deref())?,
            is_deleted: false,
            created_at: from_micros(row.created_at),
            updated_at: Some(from_micros(row.updated_at)),
            created_by_id: row.created_by_id,
            last_updated_by_id: row.last_updated_by_id,
        })
    }
}

impl TryFrom<FullRow> for Passage {
    type Error = crate::StoreError;

    fn try_from(full: FullRow) -> Result<Self> {
        let mut passage = Self::try_from(full.row)?;
        passage.embedding = full.embedding.map(|vector| vector.0);
        Ok(passage)
    }
}
