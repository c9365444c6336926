//! The entities of a file, each read and checked by itself.

use mneme_domain::{
    Actor, BlockId, Env, JsonObject,
    agent::{Agent, AgentType},
    block::{Block, CreateBlock, DEFAULT_BLOCK_LIMIT},
    llm_config::{EmbeddingConfig, LlmConfig},
    tool::{DEFAULT_RETURN_CHAR_LIMIT, Requirement, Tool, ToolType},
    tool_rule::ToolRule,
};
use serde::Deserialize;
use serde_json::Value;

use super::lenient::{Fault, either, field, objects, settings, text, texts};
use crate::{blocks::check_label, tools::fresh};

/// Tokens of a model whose file does not say how many it takes.
const UNKNOWN_WINDOW: u32 = 32_000;
/// The most characters of a return value that reach a model.
const MOST_RETURN: i64 = 10_000_000;

/// What an entity is called in its file.
pub fn name_in_file(fields: &JsonObject) -> Result<String, Fault> {
    text(fields, "id")?.filter(|id| !id.is_empty()).ok_or_else(|| "it has no id".to_owned())
}

/// Reads a block. Its limit grows with its value: servers have let values outgrow their limits.
pub fn block(fields: &JsonObject, actor: &Actor, env: &Env) -> Result<Block, Fault> {
    let mut given = fields.clone();
    given.retain(|_, value| !value.is_null());
    given.entry("value").or_insert("".into());
    let create = CreateBlock::deserialize(Value::Object(given)).map_err(|error| error.to_string())?;
    check_label(&create.label).map_err(|_| "label: it is no label for a block".to_owned())?;
    let length = i64::try_from(create.value.chars().count()).unwrap_or(i64::MAX);
    Ok(Block {
        limit: create.limit.unwrap_or(DEFAULT_BLOCK_LIMIT).max(length),
        value: create.value,
        project_id: create.project_id,
        template_name: create.template_name,
        is_template: create.is_template.unwrap_or(false),
        template_id: create.template_id,
        base_template_id: create.base_template_id,
        deployment_id: create.deployment_id,
        entity_id: create.entity_id,
        preserve_on_migration: Some(create.preserve_on_migration.unwrap_or(false)),
        label: Some(create.label),
        read_only: create.read_only.unwrap_or(false),
        description: create.description,
        metadata: Some(create.metadata.unwrap_or_default()),
        hidden: create.hidden,
        id: BlockId::from_uuid(env.uuid()),
        created_by_id: Some(actor.user.to_string()),
        last_updated_by_id: Some(actor.user.to_string()),
    })
}

/// Reads a tool. Its source is data: it is neither run nor, where the file has its schema, read.
pub fn tool(fields: &JsonObject, actor: &Actor, env: &Env) -> Result<Tool, Fault> {
    let schema: Option<JsonObject> = field(fields, "json_schema")?;
    let of_schema = |key: &str| schema.as_ref().and_then(|schema| schema.get(key)?.as_str().map(str::to_owned));
    let mut tool = fresh(mneme_domain::ToolId::from_uuid(env.uuid()), actor);
    tool.source_code = text(fields, "source_code")?.filter(|source| !source.trim().is_empty());
    tool.tool_type = match text(fields, "tool_type")? {
        None => ToolType::Custom,
        Some(kind) => ToolType::from_name(&kind).ok_or_else(|| format!("tool_type: there is no type '{kind}'"))?,
    };
    tool.name = text(fields, "name")?.or_else(|| of_schema("name"));
    tool.description = text(fields, "description")?.or_else(|| of_schema("description"));
    tool.source_type = text(fields, "source_type")?;
    tool.tags = texts(fields, "tags")?;
    tool.args_json_schema = field(fields, "args_json_schema")?;
    tool.return_char_limit =
        field::<i64>(fields, "return_char_limit")?.unwrap_or(DEFAULT_RETURN_CHAR_LIMIT).clamp(1, MOST_RETURN);
    tool.default_requires_approval = field(fields, "default_requires_approval")?;
    tool.enable_parallel_execution = field(fields, "enable_parallel_execution")?.or(tool.enable_parallel_execution);
    tool.metadata_ = either(fields, "metadata_", "metadata")?.or(tool.metadata_);
    let python: Option<Vec<Requirement>> = field(fields, "pip_requirements")?;
    let npm: Option<Vec<Requirement>> = field(fields, "npm_requirements")?;
    crate::packages::check(python.as_deref().unwrap_or_default(), npm.as_deref().unwrap_or_default())?;
    tool.pip_requirements = field(fields, "pip_requirements")?;
    tool.npm_requirements = field(fields, "npm_requirements")?;
    tool.json_schema = schema;
    if tool.call_name().is_empty() && tool.source_code.is_none() {
        return Err("it has neither a name nor a source".into());
    }
    Ok(tool)
}

/// Reads an agent's own fields. What it is made of is read by the names in [`References`].
pub fn agent(fields: &JsonObject, default_type: AgentType, base: Agent) -> Result<Agent, Fault> {
    let mut agent = base;
    agent.agent_type = match text(fields, "agent_type")? {
        None => default_type,
        Some(kind) => AgentType::from_name(&kind).ok_or_else(|| format!("agent_type: there is no type '{kind}'"))?,
    };
    if let Some(name) = text(fields, "name")?.filter(|name| !name.trim().is_empty()) {
        agent.name = name;
    }
    agent.system = match text(fields, "system")? {
        Some(system) => system,
        None => crate::prompts::default_system(agent.agent_type).to_owned(),
    };
    let mut rules = Vec::new();
    for (index, rule) in objects(fields, "tool_rules")?.into_iter().enumerate() {
        rules.push(rule_of(rule).map_err(|fault| format!("tool_rules[{index}]: {fault}"))?);
    }
    agent.tool_rules = crate::turn::rules::unique(rules);
    agent.response_format = field(fields, "response_format")?;
    agent.description = text(fields, "description")?;
    agent.metadata = either(fields, "metadata", "metadata_")?;
    agent.memory_variables = field(fields, "memory_variables")?;
    agent.message_buffer_autoclear = field(fields, "message_buffer_autoclear")?.unwrap_or(false);
    agent.enable_sleeptime = field(fields, "enable_sleeptime")?;
    if let Some(zone) = text(fields, "timezone")? {
        crate::agents::check_timezone(&zone).map_err(|_| format!("timezone: there is no time zone '{zone}'"))?;
        agent.timezone = Some(zone);
    }
    agent.max_files_open = field(fields, "max_files_open")?.or(agent.max_files_open);
    agent.per_file_view_window_char_limit =
        field(fields, "per_file_view_window_char_limit")?.or(agent.per_file_view_window_char_limit);
    agent.hidden = field(fields, "hidden")?;
    Ok(agent)
}

/// Rules of older servers hold nulls where a default is meant, and children under two names.
fn rule_of(mut rule: JsonObject) -> Result<ToolRule, Fault> {
    rule.retain(|_, value| !value.is_null());
    if rule.get("type").is_some_and(|kind| kind == "max_count_per_step") && !rule.contains_key("max_count_limit") {
        return Err("max_count_limit is missing".into());
    }
    ToolRule::deserialize(Value::Object(rule)).map_err(|error| error.to_string())
}

/// The chat model of an agent, if the file has its settings.
pub fn llm_config(fields: &JsonObject) -> Result<Option<LlmConfig>, Fault> {
    settings(
        fields,
        "llm_config",
        &[("context_window", UNKNOWN_WINDOW.into()), ("model_endpoint_type", "openai".into())],
    )
}

/// The embedding model of an agent, if the file has its settings.
pub fn embedding_config(fields: &JsonObject) -> Result<Option<EmbeddingConfig>, Fault> {
    settings(fields, "embedding_config", &[("embedding_endpoint_type", "openai".into())])
}

/// What an agent is made of, by the names of the file.
#[derive(Debug, Default)]
pub struct References {
    pub blocks: Vec<String>,
    /// Blocks that are described in the agent itself.
    pub own_blocks: Vec<JsonObject>,
    pub tools: Vec<String>,
    /// Tools of this server, by their own names.
    pub named_tools: Vec<String>,
    pub include_base_tools: bool,
    pub tags: Vec<String>,
    /// Variables; a null or empty value is one that its author kept to themselves.
    pub variables: JsonObject,
    pub identities: Vec<String>,
}

/// Reads what an agent is made of.
pub fn references(fields: &JsonObject) -> Result<References, Fault> {
    let tools = field::<Vec<String>>(fields, "tool_ids")?;
    let include = field::<bool>(fields, "include_base_tools")?;
    let mut variables: JsonObject = field(fields, "tool_exec_environment_variables")?.unwrap_or_default();
    variables.extend(field::<JsonObject>(fields, "secrets")?.unwrap_or_default());
    Ok(References {
        blocks: texts(fields, "block_ids")?,
        own_blocks: objects(fields, "memory_blocks")?,
        // Who wrote a file by hand and names no tools means those that every agent gets.
        include_base_tools: include.unwrap_or(tools.is_none()),
        tools: tools.unwrap_or_default(),
        named_tools: texts(fields, "tools")?,
        tags: texts(fields, "tags")?,
        variables,
        identities: texts(fields, "identity_ids")?,
    })
}
