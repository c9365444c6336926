//! Memory blocks: labelled texts that live in an agent's context window.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{BlockId, JsonObject, Patch};

/// How many characters a block may hold unless it says otherwise.
pub const DEFAULT_BLOCK_LIMIT: i64 = 20_000;

/// A memory block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Block {
    /// The text.
    pub value: String,
    /// How many characters (Unicode scalar values) the text may have.
    pub limit: i64,
    /// The project of the hosted product; kept as given.
    pub project_id: Option<String>,
    /// The name of a template block.
    pub template_name: Option<String>,
    /// Whether the block is a template.
    pub is_template: bool,
    /// The template it was made from.
    pub template_id: Option<String>,
    /// The base template it was made from.
    pub base_template_id: Option<String>,
    /// The deployment it belongs to.
    pub deployment_id: Option<String>,
    /// The entity within a template.
    pub entity_id: Option<String>,
    /// Whether a template migration keeps the block.
    pub preserve_on_migration: Option<bool>,
    /// The name under which an agent sees the block.
    pub label: Option<String>,
    /// Whether the agent may not edit it; developers always may.
    pub read_only: bool,
    /// What the block is for; shown to the model.
    pub description: Option<String>,
    /// Anything the developer wants to keep with it.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    /// Hidden blocks are left out of lists.
    pub hidden: Option<bool>,
    /// Identifier.
    #[schema(value_type = String)]
    pub id: BlockId,
    /// Who made it.
    pub created_by_id: Option<String>,
    /// Who changed it last.
    pub last_updated_by_id: Option<String>,
}

/// Why a block does not take a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Value length ({length} characters) exceeds block limit ({limit} characters)")]
pub struct OverLimit {
    /// Characters of the refused value.
    pub length: i64,
    /// Characters that the block takes.
    pub limit: i64,
}

/// Checks that a value fits a block's limit.
pub fn check_limit(value: &str, limit: i64) -> Result<(), OverLimit> {
    let length = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
    if length > limit { Err(OverLimit { length, limit }) } else { Ok(()) }
}

/// The body of a block's creation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreateBlock {
    /// The text.
    pub value: String,
    /// The name under which an agent sees it.
    pub label: String,
    /// How many characters it may hold; 20,000 when left out.
    #[serde(default)]
    pub limit: Option<i64>,
    #[serde(default)]
    pub project_id: Option<String>,
    #[serde(default, alias = "name")]
    pub template_name: Option<String>,
    #[serde(default)]
    pub is_template: Option<bool>,
    #[serde(default)]
    pub template_id: Option<String>,
    #[serde(default)]
    pub base_template_id: Option<String>,
    #[serde(default)]
    pub deployment_id: Option<String>,
    #[serde(default)]
    pub entity_id: Option<String>,
    #[serde(default)]
    pub preserve_on_migration: Option<bool>,
    /// Whether the agent may not edit it.
    #[serde(default)]
    pub read_only: Option<bool>,
    /// What the block is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Anything the developer wants to keep with it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    /// Leave it out of lists.
    #[serde(default)]
    pub hidden: Option<bool>,
}

/// The body of a block's update; what it does not name stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct BlockUpdate {
    #[schema(value_type = Option<String>)]
    pub value: Patch<String>,
    #[schema(value_type = Option<i64>)]
    pub limit: Patch<i64>,
    #[schema(value_type = Option<String>)]
    pub label: Patch<String>,
    #[schema(value_type = Option<bool>)]
    pub read_only: Patch<bool>,
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Patch<JsonObject>,
    #[schema(value_type = Option<bool>)]
    pub hidden: Patch<bool>,
    #[schema(value_type = Option<String>)]
    pub project_id: Patch<String>,
    #[schema(value_type = Option<bool>)]
    pub is_template: Patch<bool>,
    #[schema(value_type = Option<String>)]
    #[serde(alias = "name")]
    pub template_name: Patch<String>,
    #[schema(value_type = Option<String>)]
    pub template_id: Patch<String>,
    #[schema(value_type = Option<String>)]
    pub base_template_id: Patch<String>,
    #[schema(value_type = Option<String>)]
    pub deployment_id: Patch<String>,
    #[schema(value_type = Option<String>)]
    pub entity_id: Patch<String>,
    #[schema(value_type = Option<bool>)]
    pub preserve_on_migration: Patch<bool>,
}

impl BlockUpdate {
    /// Applies the update; the new value must fit the new limit. On an error nothing changes.
    pub fn apply(self, block: &mut Block) -> Result<(), OverLimit> {
        let mut next = block.clone();
        self.value.apply_value(&mut next.value);
        self.limit.apply_value(&mut next.limit);
        check_limit(&next.value, next.limit)?;
        if let Patch::Set(label) = self.label {
            next.label = Some(label);
        }
        self.read_only.apply_value(&mut next.read_only);
        self.description.apply(&mut next.description);
        self.metadata.apply(&mut next.metadata);
        self.hidden.apply(&mut next.hidden);
        self.project_id.apply(&mut next.project_id);
        self.is_template.apply_value(&mut next.is_template);
        self.template_name.apply(&mut next.template_name);
        self.template_id.apply(&mut next.template_id);
        self.base_template_id.apply(&mut next.base_template_id);
        self.deployment_id.apply(&mut next.deployment_id);
        self.entity_id.apply(&mut next.entity_id);
        self.preserve_on_migration.apply(&mut next.preserve_on_migration);
        *block = next;
        Ok(())
    }
}
