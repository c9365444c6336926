//! The row of a block.

use mneme_domain::{BlockId, Timestamp, block::Block};

use super::StoredBlock;
use crate::{Result, json, sql::Arg};

/// The columns that [`BlockRow`] reads, of `blocks b`.
macro_rules! columns {
    () => {
        "b.id, b.version, b.value, b.char_limit, b.label, b.description, b.read_only, b.is_template, b.template_name, \
         b.template_id, b.base_template_id, b.deployment_id, b.entity_id, b.project_id, b.preserve_on_migration, \
         b.metadata, b.hidden, b.created_by_id, b.last_updated_by_id"
    };
}
pub(crate) use columns;

/// The same as names and values of a JSON object, and the block's place, of `agent_blocks ab`.
macro_rules! json_fields {
    () => {
        "'position', ab.position, 'id', b.id, 'version', b.version, 'value', b.value, 'char_limit', b.char_limit, \
         'label', b.label, 'description', b.description, 'read_only', b.read_only, 'is_template', b.is_template, \
         'template_name', b.template_name, 'template_id', b.template_id, 'base_template_id', b.base_template_id, \
         'deployment_id', b.deployment_id, 'entity_id', b.entity_id, 'project_id', b.project_id, \
         'preserve_on_migration', b.preserve_on_migration, 'metadata', b.metadata, 'hidden', b.hidden, \
         'created_by_id', b.created_by_id, 'last_updated_by_id', b.last_updated_by_id"
    };
}
pub(crate) use json_fields;

/// The columns that [`values`] fills, after the organisation, the version and the two times.
pub(super) const VALUES: &str = "org_id, version, created_at, updated_at, id, value, char_limit, label, description, \
    read_only, is_template, template_name, template_id, base_template_id, deployment_id, entity_id, project_id, \
    preserve_on_migration, metadata, hidden, created_by_id, last_updated_by_id";

/// A block's values in the order of [`VALUES`].
pub(super) fn values(block: &Block) -> Result<Vec<Arg<'_>>> {
    Ok(vec![
        (&block.id).into(),
        (&block.value).into(),
        block.limit.into(),
        (&block.label).into(),
        (&block.description).into(),
        block.read_only.into(),
        block.is_template.into(),
        (&block.template_name).into(),
        (&block.template_id).into(),
        (&block.base_template_id).into(),
        (&block.deployment_id).into(),
        (&block.entity_id).into(),
        (&block.project_id).into(),
        block.preserve_on_migration.into(),
        json::optional_text(block.metadata.as_ref())?.into(),
        block.hidden.into(),
        (&block.created_by_id).into(),
        (&block.last_updated_by_id).into(),
    ])
}

/// Arguments for a new row.
pub(super) fn new_row<'a>(org: impl Into<Arg<'a>>, block: &'a Block, now: Timestamp) -> Result<Vec<Arg<'a>>> {
    let mut row = vec![org.into(), 1_i64.into(), now.into(), now.into()];
    row.extend(values(block)?);
    Ok(row)
}

#[derive(mneme_macros::FromRow, serde::Deserialize)]
pub(crate) struct BlockRow {
    id: String,
    version: i64,
    value: String,
    char_limit: i64,
    label: Option<String>,
    description: Option<String>,
    #[serde(deserialize_with = "json::truth")]
    read_only: bool,
    #[serde(deserialize_with = "json::truth")]
    is_template: bool,
    template_name: Option<String>,
    template_id: Option<String>,
    base_template_id: Option<String>,
    deployment_id: Option<String>,
    entity_id: Option<String>,
    project_id: Option<String>,
    #[serde(deserialize_with = "json::optional_truth")]
    preserve_on_migration: Option<bool>,
    metadata: Option<String>,
    #[serde(deserialize_with = "json::optional_truth")]
    hidden: Option<bool>,
    created_by_id: Option<String>,
    last_updated_by_id: Option<String>,
}

impl TryFrom<BlockRow> for StoredBlock {
    type Error = crate::StoreError;

    fn try_from(row: BlockRow) -> Result<Self> {
        let block = Block {
            value: row.value,
            limit: row.char_limit,
            project_id: row.project_id,
            template_name: row.template_name,
            is_template: row.is_template,
            template_id: row.template_id,
            base_template_id: row.base_template_id,
            deployment_id: row.deployment_id,
            entity_id: row.entity_id,
            preserve_on_migration: row.preserve_on_migration,
            label: row.label,
            read_only: row.read_only,
            description: row.description,
            metadata: json::optional_value("blocks.metadata", row.metadata.as_deref())?,
            hidden: row.hidden,
            id: BlockId::trusted(row.id),
            created_by_id: row.created_by_id,
            last_updated_by_id: row.last_updated_by_id,
        };
        Ok(Self { block, version: row.version })
    }
}
