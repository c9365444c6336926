//! The row of an agent.

use mneme_domain::{
    AgentId, MessageId,
    agent::{Agent, AgentType},
    clock::from_micros,
};

use crate::{Result, json, sql::Arg};

/// The columns that [`AgentRow`] reads, of `agents a`.
macro_rules! columns {
    () => {
        "a.id, a.version, a.name, a.agent_type, a.system, a.llm_config, a.embedding_config, a.tool_rules, \
         a.message_ids, a.response_format, a.description, a.metadata, a.memory_variables, a.project_id, a.template_id, \
         a.base_template_id, a.deployment_id, a.entity_id, a.message_buffer_autoclear, a.enable_sleeptime, \
         a.last_run_completion, a.last_run_duration_ms, a.timezone, a.max_files_open, \
         a.per_file_view_window_char_limit, a.hidden, a.created_at, a.updated_at, a.created_by_id, a.last_updated_by_id, \
         a.lease_fence"
    };
}
pub(crate) use columns;

/// Reads [`AgentRow`]s; continued with `where …`.
pub(crate) const SELECT: &str = concat!("select ", columns!(), " from agents a");

/// The columns that [`values`] fills, after the organisation and the version.
pub(super) const VALUES: &str = "org_id, version, id, name, name_folded, agent_type, system, llm_config, \
    embedding_config, tool_rules, message_ids, response_format, description, metadata, memory_variables, project_id, \
    template_id, base_template_id, deployment_id, entity_id, message_buffer_autoclear, enable_sleeptime, \
    last_run_completion, last_run_duration_ms, timezone, max_files_open, per_file_view_window_char_limit, hidden, \
    created_at, updated_at, created_by_id, last_updated_by_id";

/// An agent's values in the order of [`VALUES`].
pub(super) fn values(agent: &Agent) -> Result<Vec<Arg<'_>>> {
    Ok(vec![
        (&agent.id).into(),
        (&agent.name).into(),
        agent.name.to_lowercase().into(),
        agent.agent_type.as_str().into(),
        (&agent.system).into(),
        json::text(&agent.llm_config)?.into(),
        json::optional_text(agent.embedding_config.as_ref())?.into(),
        json::text(&agent.tool_rules)?.into(),
        json::text(&agent.message_ids)?.into(),
        json::optional_text(agent.response_format.as_ref())?.into(),
        (&agent.description).into(),
        json::optional_text(agent.metadata.as_ref())?.into(),
        json::optional_text(agent.memory_variables.as_ref())?.into(),
        (&agent.project_id).into(),
        (&agent.template_id).into(),
        (&agent.base_template_id).into(),
        (&agent.deployment_id).into(),
        (&agent.entity_id).into(),
        agent.message_buffer_autoclear.into(),
        agent.enable_sleeptime.into(),
        agent.last_run_completion.into(),
        agent.last_run_duration_ms.into(),
        (&agent.timezone).into(),
        agent.max_files_open.into(),
        agent.per_file_view_window_char_limit.into(),
        agent.hidden.into(),
        agent.created_at.into(),
        agent.updated_at.into(),
        (&agent.created_by_id).into(),
        (&agent.last_updated_by_id).into(),
    ])
}

#[derive(mneme_macros::FromRow)]
pub(crate) struct AgentRow {
    id: String,
    version: i64,
    name: String,
    agent_type: String,
    system: String,
    llm_config: String,
    embedding_config: Option<String>,
    tool_rules: String,
    message_ids: String,
    response_format: Option<String>,
    description: Option<String>,
    metadata: Option<String>,
    memory_variables: Option<String>,
    project_id: Option<String>,
    template_id: Option<String>,
    base_template_id: Option<String>,
    deployment_id: Option<String>,
    entity_id: Option<String>,
    message_buffer_autoclear: bool,
    enable_sleeptime: Option<bool>,
    last_run_completion: Option<i64>,
    last_run_duration_ms: Option<i64>,
    timezone: Option<String>,
    max_files_open: Option<i64>,
    per_file_view_window_char_limit: Option<i64>,
    hidden: Option<bool>,
    created_at: i64,
    updated_at: i64,
    created_by_id: Option<String>,
    last_updated_by_id: Option<String>,
    lease_fence: i64,
}

impl TryFrom<AgentRow> for Agent {
    type Error = crate::StoreError;

    fn try_from(row: AgentRow) -> Result<Self> {
        Ok(Self {
            id: AgentId::trusted(row.id),
            name: row.name,
            agent_type: json::named("agents.agent_type", &row.agent_type, AgentType::from_name)?,
            system: row.system,
            llm_config: json::value("agents.llm_config", &row.llm_config)?,
            embedding_config: json::optional_value("agents.embedding_config", row.embedding_config.as_deref())?,
            tool_rules: json::value("agents.tool_rules", &row.tool_rules)?,
            message_ids: json::value::<Vec<MessageId>>("agents.message_ids", &row.message_ids)?,
            response_format: json::optional_value("agents.response_format", row.response_format.as_deref())?,
            description: row.description,
            metadata: json::optional_value("agents.metadata", row.metadata.as_deref())?,
            memory_variables: json::optional_value("agents.memory_variables", row.memory_variables.as_deref())?,
            project_id: row.project_id,
            template_id: row.template_id,
            base_template_id: row.base_template_id,
            deployment_id: row.deployment_id,
            entity_id: row.entity_id,
            message_buffer_autoclear: row.message_buffer_autoclear,
            enable_sleeptime: row.enable_sleeptime,
            last_run_completion: row.last_run_completion.map(from_micros),
            last_run_duration_ms: row.last_run_duration_ms,
            timezone: row.timezone,
            max_files_open: row.max_files_open,
            per_file_view_window_char_limit: row.per_file_view_window_char_limit,
            hidden: row.hidden,
            created_at: from_micros(row.created_at),
            updated_at: from_micros(row.updated_at),
            created_by_id: row.created_by_id,
            last_updated_by_id: row.last_updated_by_id,
            version: row.version,
            fence: row.lease_fence,
        })
    }
}
