//! Agents: their state as clients read it, and the bodies that create and change them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    AgentId, BlockId, IdentityId, JsonObject, MessageId, Patch, ToolId,
    block::{Block, CreateBlock},
    compaction::CompactionSettings,
    envelope::Envelope,
    folder::{AgentFile, FileBlock, Folder, Source},
    group::Group,
    identity::Identity,
    llm_config::{EmbeddingConfig, LlmConfig},
    model_settings::ModelSettings,
    request::MessageCreate,
    tool::Tool,
    tool_rule::ToolRule,
};

/// How an agent works, in the API's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentType {
    MemgptAgent,
    MemgptV2Agent,
    LettaV1Agent,
    ReactAgent,
    WorkflowAgent,
    SplitThreadAgent,
    SleeptimeAgent,
    VoiceConvoAgent,
    VoiceSleeptimeAgent,
}

impl AgentType {
    const ALL: [(Self, &'static str); 9] = [
        (Self::MemgptAgent, "memgpt_agent"),
        (Self::MemgptV2Agent, "memgpt_v2_agent"),
        (Self::LettaV1Agent, "letta_v1_agent"),
        (Self::ReactAgent, "react_agent"),
        (Self::WorkflowAgent, "workflow_agent"),
        (Self::SplitThreadAgent, "split_thread_agent"),
        (Self::SleeptimeAgent, "sleeptime_agent"),
        (Self::VoiceConvoAgent, "voice_convo_agent"),
        (Self::VoiceSleeptimeAgent, "voice_sleeptime_agent"),
    ];

    /// The API's name.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("letta_v1_agent", |(_, name)| name)
    }

    /// Reads the API's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// A variable that an agent's tools see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentVariable {
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
    pub id: String,
    pub key: String,
    pub value: String,
    pub description: Option<String>,
    pub value_enc: Option<String>,
    #[schema(value_type = String)]
    pub agent_id: AgentId,
}

/// What an agent keeps in its context window beside the conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Memory {
    pub agent_type: Option<AgentType>,
    pub blocks: Vec<Block>,
    /// Open files.
    pub file_blocks: Vec<FileBlock>,
    pub prompt_template: String,
}

/// An agent without what hangs off it: the row of the agents table.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    pub id: AgentId,
    pub name: String,
    pub agent_type: AgentType,
    pub system: String,
    pub llm_config: LlmConfig,
    pub embedding_config: Option<EmbeddingConfig>,
    pub tool_rules: Vec<ToolRule>,
    /// The messages in the context window, in order; the first is the system message.
    pub message_ids: Vec<MessageId>,
    pub response_format: Option<Value>,
    pub description: Option<String>,
    pub metadata: Option<JsonObject>,
    pub memory_variables: Option<JsonObject>,
    pub project_id: Option<String>,
    pub template_id: Option<String>,
    pub base_template_id: Option<String>,
    pub deployment_id: Option<String>,
    pub entity_id: Option<String>,
    pub message_buffer_autoclear: bool,
    pub enable_sleeptime: Option<bool>,
    pub last_run_completion: Option<DateTime<Utc>>,
    pub last_run_duration_ms: Option<i64>,
    pub timezone: Option<String>,
    pub max_files_open: Option<i64>,
    pub per_file_view_window_char_limit: Option<i64>,
    pub hidden: Option<bool>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    /// Grows with every change of the row; a writer that saw an older one is refused.
    pub version: i64,
    /// Grows when a turn of the agent changes hands; a turn that knows an older one may write nothing more.
    pub fence: i64,
}

/// Files that an agent has open at most unless it says otherwise.
pub const MAX_FILES_OPEN: i64 = 5;
/// Characters of an open file in view unless the agent says otherwise.
pub const FILE_VIEW_CHARS: i64 = 15_000;

impl Agent {
    /// Files that it may have open.
    pub fn files_open_limit(&self) -> i64 {
        self.max_files_open.unwrap_or(MAX_FILES_OPEN).max(0)
    }

    /// Characters that an open file may take in its context window.
    pub fn file_view_limit(&self) -> i64 {
        self.per_file_view_window_char_limit.unwrap_or(FILE_VIEW_CHARS).max(0)
    }
}

/// An agent with what hangs off it.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentFull {
    pub agent: Agent,
    pub tags: Vec<String>,
    pub blocks: Vec<Block>,
    pub tools: Vec<Arc<Tool>>,
    pub variables: Vec<AgentVariable>,
    pub identities: Vec<Identity>,
    /// The group that it manages.
    pub group: Option<Group>,
    /// Folders that it reads.
    pub folders: Vec<Folder>,
    /// Files that it has open.
    pub open_files: Vec<AgentFile>,
}

/// Which relationships an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Include {
    pub tags: bool,
    pub blocks: bool,
    pub tools: bool,
    pub secrets: bool,
    pub sources: bool,
    pub identities: bool,
    pub groups: bool,
    /// The calls that the agent waits to have approved; no relationship of the agent's row.
    pub pending_approval: bool,
}

impl Include {
    /// Every relationship.
    pub const ALL: Self = Self {
        tags: true,
        blocks: true,
        tools: true,
        secrets: true,
        sources: true,
        identities: true,
        groups: true,
        pending_approval: false,
    };
    /// Nothing.
    pub const NONE: Self = Self {
        tags: false,
        blocks: false,
        tools: false,
        secrets: false,
        sources: false,
        identities: false,
        groups: false,
        pending_approval: false,
    };

    /// Reads names such as `agent.blocks` (newer clients) or `memory` (older ones). Unknown names ask for nothing.
    pub fn from_names<S: AsRef<str>>(names: &[S]) -> Self {
        let mut include = Self::NONE;
        for name in names {
            let name = name.as_ref();
            match name.strip_prefix("agent.").unwrap_or(name) {
                "tags" => include.tags = true,
                "blocks" | "memory" => include.blocks = true,
                "tools" => include.tools = true,
                "secrets" | "tool_exec_environment_variables" => include.secrets = true,
                "sources" => include.sources = true,
                "identities" | "identity_ids" => include.identities = true,
                "managed_group" | "multi_agent_group" => include.groups = true,
                "pending_approval" => include.pending_approval = true,
                _ => {}
            }
        }
        include
    }
}

/// An agent as a client reads it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AgentState {
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[schema(value_type = String)]
    pub id: AgentId,
    pub name: String,
    pub tool_rules: Vec<ToolRule>,
    #[schema(value_type = Vec<String>)]
    pub message_ids: Vec<MessageId>,
    pub system: String,
    pub agent_type: AgentType,
    pub llm_config: LlmConfig,
    pub embedding_config: Option<EmbeddingConfig>,
    /// The model's handle, in the words of newer clients.
    pub model: Option<String>,
    /// The embedding model's handle, in the words of newer clients.
    pub embedding: Option<String>,
    /// The model's settings, in the words of newer clients.
    pub model_settings: ModelSettings,
    /// How the agent's context is made smaller, where somebody said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compaction_settings: Option<CompactionSettings>,
    #[schema(value_type = Option<Object>)]
    pub response_format: Option<Value>,
    pub description: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    pub memory: Memory,
    pub blocks: Vec<Block>,
    #[schema(value_type = Vec<Tool>)]
    pub tools: Vec<Arc<Tool>>,
    pub sources: Vec<Source>,
    pub tags: Vec<String>,
    pub tool_exec_environment_variables: Vec<AgentVariable>,
    pub secrets: Vec<AgentVariable>,
    pub project_id: Option<String>,
    pub template_id: Option<String>,
    pub base_template_id: Option<String>,
    pub deployment_id: Option<String>,
    pub entity_id: Option<String>,
    #[schema(value_type = Vec<String>)]
    pub identity_ids: Vec<IdentityId>,
    pub identities: Vec<Identity>,
    pub message_buffer_autoclear: bool,
    pub enable_sleeptime: Option<bool>,
    /// The group that it manages.
    pub multi_agent_group: Option<Group>,
    /// The same in the words of newer clients.
    pub managed_group: Option<Group>,
    pub last_run_completion: Option<DateTime<Utc>>,
    pub last_run_duration_ms: Option<i64>,
    pub timezone: Option<String>,
    pub max_files_open: Option<i64>,
    pub per_file_view_window_char_limit: Option<i64>,
    pub hidden: Option<bool>,
    /// The message that asks for the approval that the agent waits for; where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_approval: Option<Envelope>,
}

impl From<AgentFull> for AgentState {
    fn from(full: AgentFull) -> Self {
        let AgentFull { mut agent, tags, blocks, tools, variables, identities, group, folders, open_files } = full;
        let limit = agent.file_view_limit();
        Self {
            created_by_id: agent.created_by_id,
            last_updated_by_id: agent.last_updated_by_id,
            created_at: agent.created_at,
            updated_at: agent.updated_at,
            id: agent.id,
            name: agent.name,
            tool_rules: agent.tool_rules,
            message_ids: agent.message_ids,
            system: agent.system,
            agent_type: agent.agent_type,
            model: agent.llm_config.handle.clone(),
            embedding: agent.embedding_config.as_ref().and_then(|config| config.handle.clone()),
            model_settings: ModelSettings::of(&agent.llm_config, agent.response_format.as_ref()),
            compaction_settings: agent.llm_config.compaction_settings.take(),
            llm_config: agent.llm_config,
            embedding_config: agent.embedding_config,
            response_format: agent.response_format,
            description: agent.description,
            metadata: agent.metadata,
            memory: Memory {
                agent_type: Some(agent.agent_type),
                blocks: blocks.clone(),
                file_blocks: open_files.into_iter().map(|file| FileBlock::of(file, limit)).collect(),
                prompt_template: String::new(),
            },
            blocks,
            tools,
            sources: folders.into_iter().map(Source::from).collect(),
            tags,
            tool_exec_environment_variables: variables.clone(),
            secrets: variables,
            project_id: agent.project_id,
            template_id: agent.template_id,
            base_template_id: agent.base_template_id,
            deployment_id: agent.deployment_id,
            entity_id: agent.entity_id,
            identity_ids: identities.iter().map(|identity| identity.id.clone()).collect(),
            identities,
            message_buffer_autoclear: agent.message_buffer_autoclear,
            enable_sleeptime: agent.enable_sleeptime,
            multi_agent_group: group.clone(),
            managed_group: group,
            last_run_completion: agent.last_run_completion,
            last_run_duration_ms: agent.last_run_duration_ms,
            timezone: agent.timezone,
            max_files_open: agent.max_files_open,
            per_file_view_window_char_limit: agent.per_file_view_window_char_limit,
            hidden: agent.hidden,
            pending_approval: None,
        }
    }
}

/// The body of an agent's creation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateAgent {
    pub name: Option<String>,
    pub memory_blocks: Option<Vec<CreateBlock>>,
    /// Names of tools to attach.
    pub tools: Option<Vec<String>>,
    #[schema(value_type = Option<Vec<String>>)]
    pub tool_ids: Option<Vec<ToolId>>,
    pub source_ids: Option<Vec<String>>,
    pub folder_ids: Option<Vec<String>>,
    #[schema(value_type = Option<Vec<String>>)]
    pub block_ids: Option<Vec<BlockId>>,
    pub tool_rules: Option<Vec<ToolRule>>,
    pub tags: Option<Vec<String>>,
    pub system: Option<String>,
    pub agent_type: Option<AgentType>,
    pub llm_config: Option<LlmConfig>,
    pub embedding_config: Option<EmbeddingConfig>,
    pub initial_message_sequence: Option<Vec<MessageCreate>>,
    pub include_base_tools: Option<bool>,
    pub include_multi_agent_tools: Option<bool>,
    pub include_base_tool_rules: Option<bool>,
    pub include_default_source: Option<bool>,
    pub description: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    /// `provider/model`. Guides also call it `llm`.
    #[serde(alias = "llm")]
    pub model: Option<String>,
    /// `provider/model`.
    pub embedding: Option<String>,
    pub model_settings: Option<ModelSettings>,
    /// How the agent's context is made smaller when it grows too long.
    pub compaction_settings: Option<CompactionSettings>,
    pub context_window_limit: Option<u32>,
    pub embedding_chunk_size: Option<u32>,
    pub max_tokens: Option<u32>,
    pub max_reasoning_tokens: Option<u32>,
    pub enable_reasoner: Option<bool>,
    pub reasoning: Option<bool>,
    pub from_template: Option<String>,
    pub template: Option<bool>,
    pub project: Option<String>,
    /// Guides also call them `tool_env_vars`.
    #[schema(value_type = Option<Object>)]
    #[serde(alias = "tool_env_vars")]
    pub tool_exec_environment_variables: Option<JsonObject>,
    #[schema(value_type = Option<Object>)]
    pub secrets: Option<JsonObject>,
    #[schema(value_type = Option<Object>)]
    pub memory_variables: Option<JsonObject>,
    pub project_id: Option<String>,
    pub template_id: Option<String>,
    pub base_template_id: Option<String>,
    #[schema(value_type = Option<Vec<String>>)]
    pub identity_ids: Option<Vec<IdentityId>>,
    pub message_buffer_autoclear: Option<bool>,
    pub enable_sleeptime: Option<bool>,
    #[schema(value_type = Option<Object>)]
    pub response_format: Option<Value>,
    pub timezone: Option<String>,
    pub max_files_open: Option<i64>,
    pub per_file_view_window_char_limit: Option<i64>,
    pub hidden: Option<bool>,
    pub parallel_tool_calls: Option<bool>,
}

/// The body of an agent's update; what it does not name stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateAgent {
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
    #[schema(value_type = Option<Vec<String>>)]
    pub tool_ids: Option<Vec<ToolId>>,
    pub source_ids: Option<Vec<String>>,
    /// The same under their newer name.
    pub folder_ids: Option<Vec<String>>,
    #[schema(value_type = Option<Vec<String>>)]
    pub block_ids: Option<Vec<BlockId>>,
    pub tags: Option<Vec<String>>,
    #[schema(value_type = Option<String>)]
    pub system: Patch<String>,
    pub tool_rules: Option<Vec<ToolRule>>,
    pub llm_config: Option<LlmConfig>,
    pub embedding_config: Option<EmbeddingConfig>,
    #[schema(value_type = Option<Vec<String>>)]
    pub message_ids: Option<Vec<MessageId>>,
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Patch<JsonObject>,
    /// Guides also call them `tool_env_vars`.
    #[schema(value_type = Option<Object>)]
    #[serde(alias = "tool_env_vars")]
    pub tool_exec_environment_variables: Option<JsonObject>,
    #[schema(value_type = Option<Object>)]
    pub secrets: Option<JsonObject>,
    #[schema(value_type = Option<String>)]
    pub project_id: Patch<String>,
    #[schema(value_type = Option<String>)]
    pub template_id: Patch<String>,
    #[schema(value_type = Option<String>)]
    pub base_template_id: Patch<String>,
    #[schema(value_type = Option<Vec<String>>)]
    pub identity_ids: Option<Vec<IdentityId>>,
    pub message_buffer_autoclear: Option<bool>,
    pub model: Option<String>,
    pub embedding: Option<String>,
    pub model_settings: Option<ModelSettings>,
    /// How the agent's context is made smaller when it grows too long; replaces what was said before.
    #[schema(value_type = Option<CompactionSettings>)]
    pub compaction_settings: Patch<CompactionSettings>,
    pub context_window_limit: Option<u32>,
    pub max_tokens: Option<u32>,
    pub max_reasoning_tokens: Option<u32>,
    pub reasoning: Option<bool>,
    #[schema(value_type = Option<bool>)]
    pub enable_sleeptime: Patch<bool>,
    #[schema(value_type = Option<Object>)]
    pub response_format: Patch<Value>,
    #[schema(value_type = Option<String>)]
    pub last_run_completion: Patch<DateTime<Utc>>,
    #[schema(value_type = Option<i64>)]
    pub last_run_duration_ms: Patch<i64>,
    #[schema(value_type = Option<String>)]
    pub timezone: Patch<String>,
    #[schema(value_type = Option<i64>)]
    pub max_files_open: Patch<i64>,
    #[schema(value_type = Option<i64>)]
    pub per_file_view_window_char_limit: Patch<i64>,
    #[schema(value_type = Option<bool>)]
    pub hidden: Patch<bool>,
    pub parallel_tool_calls: Option<bool>,
}
