//! Tools: what a model may call.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{JsonObject, Patch, ToolId};

/// How many characters of a tool's return value reach the model unless the tool says otherwise.
pub const DEFAULT_RETURN_CHAR_LIMIT: i64 = 50_000;

/// Where a tool comes from, in the API's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolType {
    /// Written by a user.
    Custom,
    /// Built in: conversation.
    LettaCore,
    /// Built in: the older memory tools.
    LettaMemoryCore,
    /// Built in: talking to other agents.
    LettaMultiAgentCore,
    /// Built in: the current memory tools.
    LettaSleeptimeCore,
    /// Built in: memory tools of voice agents.
    LettaVoiceSleeptimeCore,
    /// Built in: web search, code, web pages.
    LettaBuiltin,
    /// Built in: files.
    LettaFilesCore,
    /// Of older servers.
    ExternalLangchain,
    /// Of older servers.
    ExternalComposio,
    /// On an MCP server.
    ExternalMcp,
}

impl ToolType {
    /// The kinds that the server brings itself.
    pub const BUILTIN: [Self; 7] = [
        Self::LettaCore,
        Self::LettaMemoryCore,
        Self::LettaMultiAgentCore,
        Self::LettaSleeptimeCore,
        Self::LettaVoiceSleeptimeCore,
        Self::LettaBuiltin,
        Self::LettaFilesCore,
    ];

    /// The API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Custom => "custom",
            Self::LettaCore => "letta_core",
            Self::LettaMemoryCore => "letta_memory_core",
            Self::LettaMultiAgentCore => "letta_multi_agent_core",
            Self::LettaSleeptimeCore => "letta_sleeptime_core",
            Self::LettaVoiceSleeptimeCore => "letta_voice_sleeptime_core",
            Self::LettaBuiltin => "letta_builtin",
            Self::LettaFilesCore => "letta_files_core",
            Self::ExternalLangchain => "external_langchain",
            Self::ExternalComposio => "external_composio",
            Self::ExternalMcp => "external_mcp",
        }
    }

    /// Reads the API's name.
    pub fn from_name(name: &str) -> Option<Self> {
        serde_json::from_value(Value::String(name.to_owned())).ok()
    }

    /// Whether the server brings the tool itself.
    pub fn is_builtin(self) -> bool {
        Self::BUILTIN.contains(&self)
    }
}

/// A tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tool {
    /// Identifier.
    #[schema(value_type = String)]
    pub id: ToolId,
    /// Where it comes from.
    pub tool_type: ToolType,
    /// What it does, for the model.
    pub description: Option<String>,
    /// Language of the source: `python`, `typescript`, `json`, …
    pub source_type: Option<String>,
    /// The name that the model calls; unique within the organisation.
    pub name: Option<String>,
    /// Free labels.
    pub tags: Vec<String>,
    /// Source code, for tools that have any.
    pub source_code: Option<String>,
    /// The function as the model sees it: name, description, parameters (JSON Schema).
    #[schema(value_type = Option<Object>)]
    pub json_schema: Option<JsonObject>,
    /// The arguments' JSON Schema as given by the author.
    #[schema(value_type = Option<Object>)]
    pub args_json_schema: Option<JsonObject>,
    /// How many characters of the return value reach the model.
    pub return_char_limit: i64,
    /// Python packages it needs.
    #[schema(value_type = Option<Vec<Object>>)]
    pub pip_requirements: Option<Vec<Value>>,
    /// npm packages it needs.
    #[schema(value_type = Option<Vec<Object>>)]
    pub npm_requirements: Option<Vec<Value>>,
    /// Whether a person must approve each call unless the agent says otherwise.
    pub default_requires_approval: Option<bool>,
    /// Whether several calls may run at once.
    pub enable_parallel_execution: Option<bool>,
    /// Who made it.
    pub created_by_id: Option<String>,
    /// Who changed it last.
    pub last_updated_by_id: Option<String>,
    /// Anything the developer wants to keep with it.
    #[schema(value_type = Option<Object>)]
    pub metadata_: Option<JsonObject>,
}

impl Tool {
    /// The source type of a tool in an uploaded component.
    pub const COMPONENT: &'static str = "wasm";
    /// The source type of a tool in an uploaded Extism plugin.
    pub const EXTISM: &'static str = "extism";

    /// The name that the model calls.
    pub fn call_name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// Whether a user uploaded the tool as compiled code, which is not part of the tool as the API shows it.
    pub fn is_uploaded(&self) -> bool {
        let compiled = matches!(self.source_type.as_deref(), Some(Self::COMPONENT | Self::EXTISM));
        self.tool_type == ToolType::Custom && compiled
    }
}

/// The body of a tool's creation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct CreateTool {
    /// Source code; the last function in it is the tool.
    pub source_code: String,
    /// Language of the source: `python` (the default), `typescript`, `javascript`.
    #[serde(default)]
    pub source_type: Option<String>,
    /// What it does, for the model. Left out, the source says it.
    #[serde(default)]
    pub description: Option<String>,
    /// Free labels.
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    /// The function as the model shall see it: name, description, parameters (JSON Schema). Left out, it is derived
    /// from the source.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub json_schema: Option<JsonObject>,
    /// The arguments' JSON Schema, used for the parameters instead of the function's annotations.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub args_json_schema: Option<JsonObject>,
    /// How many characters of the return value reach the model (50,000 by default).
    #[serde(default)]
    pub return_char_limit: Option<i64>,
    /// Python packages it needs.
    #[serde(default)]
    pub pip_requirements: Option<Vec<Requirement>>,
    /// npm packages it needs.
    #[serde(default)]
    pub npm_requirements: Option<Vec<Requirement>>,
    /// Whether a person must approve each call unless the agent says otherwise.
    #[serde(default)]
    pub default_requires_approval: Option<bool>,
    /// Whether several calls may run at once (no by default).
    #[serde(default)]
    pub enable_parallel_execution: Option<bool>,
}

/// A package that a tool needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Requirement {
    /// The package's name in its registry.
    pub name: String,
    /// The version; left out, any will do.
    #[serde(default)]
    pub version: Option<String>,
}

/// The body of a tool's update; what it does not name stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ToolUpdate {
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    #[schema(value_type = Option<Vec<String>>)]
    pub tags: Patch<Vec<String>>,
    #[schema(value_type = Option<String>)]
    pub source_code: Patch<String>,
    #[schema(value_type = Option<String>)]
    pub source_type: Patch<String>,
    #[schema(value_type = Option<Object>)]
    pub json_schema: Patch<JsonObject>,
    #[schema(value_type = Option<Object>)]
    pub args_json_schema: Patch<JsonObject>,
    #[schema(value_type = Option<i64>)]
    pub return_char_limit: Patch<i64>,
    #[schema(value_type = Option<Vec<Object>>)]
    pub pip_requirements: Patch<Vec<Value>>,
    #[schema(value_type = Option<Vec<Object>>)]
    pub npm_requirements: Patch<Vec<Value>>,
    #[schema(value_type = Option<Object>)]
    pub metadata_: Patch<JsonObject>,
    #[schema(value_type = Option<bool>)]
    pub default_requires_approval: Patch<bool>,
    #[schema(value_type = Option<bool>)]
    pub enable_parallel_execution: Patch<bool>,
}

impl ToolUpdate {
    /// Applies the update. A new JSON schema that carries a name renames the tool; a new description is
    /// also written into the schema unless the schema came with the update.
    pub fn apply(self, tool: &mut Tool) {
        let schema_given = matches!(self.json_schema, Patch::Set(_));
        self.tags.apply_value(&mut tool.tags);
        self.source_code.apply(&mut tool.source_code);
        self.source_type.apply(&mut tool.source_type);
        self.json_schema.apply(&mut tool.json_schema);
        self.args_json_schema.apply(&mut tool.args_json_schema);
        self.return_char_limit.apply_value(&mut tool.return_char_limit);
        self.pip_requirements.apply(&mut tool.pip_requirements);
        self.npm_requirements.apply(&mut tool.npm_requirements);
        self.metadata_.apply(&mut tool.metadata_);
        self.default_requires_approval.apply(&mut tool.default_requires_approval);
        self.enable_parallel_execution.apply(&mut tool.enable_parallel_execution);
        if schema_given && let Some(schema) = &tool.json_schema {
            if let Some(Value::String(name)) = schema.get("name") {
                tool.name = Some(name.clone());
            }
            if let Some(Value::String(text)) = schema.get("description") {
                tool.description = Some(text.clone());
            }
        }
        if let Patch::Set(description) = self.description {
            if !schema_given && let Some(schema) = &mut tool.json_schema {
                schema.insert("description".into(), Value::String(description.clone()));
            }
            tool.description = Some(description);
        }
    }
}
