//! Templates: how agents are to begin, kept in versions. A template's state is what the API calls a snapshot.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    EntityId, IdentityId, JsonObject, OrgId, TemplateId, Timestamp, ToolId,
    agent::AgentType,
    llm_config::{EmbeddingConfig, LlmConfig},
    tool_rule::ToolRule,
};

/// How clients write the newest version.
pub const LATEST: &str = "latest";
/// How clients write the state that is edited; they also say `dev`.
pub const CURRENT: &str = "current";
/// The other word for [`CURRENT`].
pub const DEV: &str = "dev";

/// Where templates are kept. Every organisation has one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Project {
    /// What people call it.
    pub name: String,
    /// What addresses call it.
    pub slug: String,
    /// Follows from the organisation's identifier.
    pub id: String,
}

impl Project {
    /// The project of an organisation.
    pub fn of(org: &OrgId) -> Self {
        let uuid = org.as_str().strip_prefix("org-").unwrap_or(org.as_str());
        Self { name: "Default Project".into(), slug: "default-project".into(), id: format!("project-{uuid}") }
    }

    /// Whether a client means this project.
    pub fn is_named(&self, given: &str) -> bool {
        given == self.id || given == self.slug
    }
}

/// A template without its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Identifier; agents know it as their base template.
    pub id: TemplateId,
    /// Unique within the organisation.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The number of the newest version.
    pub latest: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A saved version without its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateVersion {
    /// Identifier; agents know it as their template.
    pub id: TemplateId,
    /// Counted from 1.
    pub number: i64,
    /// What changed, in the developer's words.
    pub message: Option<String>,
    /// When it was saved.
    pub created_at: Timestamp,
}

/// What kind of group a template's agents are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateKind {
    /// One agent.
    #[default]
    Classic,
    /// One agent, and one that looks after its memory.
    Sleeptime,
}

/// All that an agent begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TemplateState {
    /// The agents; this server makes templates of one.
    pub agents: Vec<TemplateAgent>,
    /// Their memory.
    #[serde(default)]
    pub blocks: Vec<TemplateBlock>,
    /// Which agent has which block.
    #[serde(default)]
    pub relationships: Vec<TemplateRelationship>,
    /// Settings of a group; empty.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub configuration: JsonObject,
    /// The kind of group.
    #[serde(rename = "type", default)]
    pub kind: TemplateKind,
    /// The version that was asked for; not kept.
    #[serde(default)]
    pub version: String,
}

/// An agent of a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateAgent {
    /// `provider/model`.
    pub model: String,
    /// The system prompt.
    pub system_prompt: String,
    /// Tools to attach.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub tool_ids: Option<Vec<ToolId>>,
    /// Folders to attach.
    #[serde(default)]
    pub source_ids: Option<Vec<String>>,
    /// Variables of the blocks' texts.
    #[serde(default)]
    pub memory_variables: Option<TemplateVariables>,
    /// Variables that the tools see, by name: a template holds no values of theirs.
    #[serde(default)]
    pub tool_variables: Option<TemplateVariables>,
    /// Labels.
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    /// Identities that every agent of the template belongs to.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub identity_ids: Option<Vec<IdentityId>>,
    /// Rules of its tools.
    #[serde(default)]
    pub tool_rules: Option<Vec<ToolRule>>,
    /// How it works.
    pub agent_type: AgentType,
    /// Always null: see `settings`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub properties: Option<Value>,
    /// What the agent is called within the template.
    pub entity_id: String,
    /// The name of new agents.
    pub name: String,
    /// What else an agent has. This server's addition.
    #[serde(default)]
    pub settings: TemplateSettings,
}

/// What an agent of a template has beyond the fields of the API's own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TemplateSettings {
    /// The model's settings; they count while `model` is theirs.
    pub llm_config: Option<LlmConfig>,
    /// The embedding model.
    pub embedding_config: Option<EmbeddingConfig>,
    /// What the agent is for.
    pub description: Option<String>,
    /// Anything the developer wants to keep with it.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    /// The shape of answers.
    #[schema(value_type = Option<Object>)]
    pub response_format: Option<Value>,
    /// IANA name of the time zone.
    pub timezone: Option<String>,
    /// Whether each message is a conversation of its own.
    pub message_buffer_autoclear: Option<bool>,
    /// Files that it may have open.
    pub max_files_open: Option<i64>,
    /// Characters that it sees of a file.
    pub per_file_view_window_char_limit: Option<i64>,
    /// Leave the agents out of lists.
    pub hidden: Option<bool>,
}

/// Named variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TemplateVariables {
    /// The version of this list's shape.
    pub version: String,
    /// The variables.
    pub data: Vec<TemplateVariable>,
}

impl TemplateVariables {
    /// Variables without values.
    pub fn named(names: impl IntoIterator<Item = String>) -> Self {
        let variable = |key| TemplateVariable { key, default_value: None, kind: "string".into() };
        Self { version: "1".into(), data: names.into_iter().map(variable).collect() }
    }
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateVariable {
    /// Its name.
    pub key: String,
    /// The value where none is given.
    #[serde(default)]
    pub default_value: Option<String>,
    /// `string`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A block of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateBlock {
    /// What the block is called within the template.
    pub entity_id: String,
    /// The name under which agents see it.
    pub label: String,
    /// The text, with `{{variables}}`.
    pub value: String,
    /// How many characters it may hold.
    pub limit: i64,
    /// What the block is for.
    #[serde(default)]
    pub description: String,
    /// Whether a migration keeps what an agent has made of it.
    #[serde(default)]
    pub preserve_on_migration: Option<bool>,
    /// Whether the agent may not edit it.
    #[serde(default)]
    pub read_only: bool,
}

/// That an agent has a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateRelationship {
    /// The agent.
    pub agent_entity_id: String,
    /// The block.
    pub block_entity_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_known_by_its_identifier_and_by_its_slug() {
        let project = Project::of(&crate::default_org());
        assert_eq!(project.id, "project-00000000-0000-4000-8000-000000000000");
        assert!(project.is_named(&project.id) && project.is_named("default-project"));
        assert!(!project.is_named("project") && !project.is_named(""));
    }
}
