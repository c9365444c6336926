//! The two ways between an agent and a template's state.

use mneme_domain::{
    JsonObject,
    agent::{AgentFull, CreateAgent},
    block::CreateBlock,
    llm_config::LlmConfig,
    template::{
        TemplateAgent, TemplateBlock, TemplateKind, TemplateRelationship, TemplateSettings, TemplateState,
        TemplateVariables,
    },
};
use serde_json::Value;

use crate::{CoreError, Result};

/// What the agent of a template is called in it.
const AGENT: &str = "agent-0";

/// How a configured model is named.
fn handle(config: &LlmConfig) -> &str {
    config.handle.as_deref().unwrap_or(&config.model)
}

/// What an agent is now, as the state of a template: no history, no values of variables, nobody's identity.
pub(super) fn state_of(full: AgentFull) -> Result<TemplateState> {
    let AgentFull { agent, tags, blocks, tools, variables, group, folders, .. } = full;
    if group.is_some_and(|group| !group.manager_type.is_sleeptime()) {
        return Err(CoreError::Invalid(
            "An agent that manages a group of other agents cannot become a template on this server".into(),
        ));
    }
    let blocks: Vec<TemplateBlock> = blocks
        .into_iter()
        .enumerate()
        .map(|(index, block)| TemplateBlock {
            entity_id: format!("block-{index}"),
            label: block.label.unwrap_or_default(),
            value: block.value,
            limit: block.limit,
            description: block.description.unwrap_or_default(),
            preserve_on_migration: block.preserve_on_migration,
            read_only: block.read_only,
        })
        .collect();
    let relationships = blocks
        .iter()
        .map(|block| TemplateRelationship { agent_entity_id: AGENT.into(), block_entity_id: block.entity_id.clone() })
        .collect();
    let mut placeholders: Vec<String> = Vec::new();
    for name in blocks.iter().flat_map(|block| placeholders_of(&block.value)) {
        if !placeholders.iter().any(|known| known == name) {
            placeholders.push(name.to_owned());
        }
    }
    let sleeps = agent.enable_sleeptime == Some(true);
    let agent = TemplateAgent {
        model: handle(&agent.llm_config).to_owned(),
        system_prompt: agent.system,
        tool_ids: Some(tools.iter().map(|tool| tool.id.clone()).collect()),
        source_ids: Some(folders.iter().map(|folder| folder.id.to_string()).collect()),
        memory_variables: Some(TemplateVariables::named(placeholders)),
        tool_variables: Some(TemplateVariables::named(variables.into_iter().map(|variable| variable.key))),
        tags: Some(tags),
        identity_ids: Some(Vec::new()),
        tool_rules: Some(agent.tool_rules),
        agent_type: agent.agent_type,
        properties: None,
        entity_id: AGENT.into(),
        name: agent.name,
        settings: TemplateSettings {
            llm_config: Some(agent.llm_config),
            embedding_config: agent.embedding_config,
            description: agent.description,
            metadata: agent.metadata,
            response_format: agent.response_format,
            timezone: agent.timezone,
            message_buffer_autoclear: Some(agent.message_buffer_autoclear),
            max_files_open: agent.max_files_open,
            per_file_view_window_char_limit: agent.per_file_view_window_char_limit,
            hidden: agent.hidden,
        },
    };
    Ok(TemplateState {
        agents: vec![agent],
        blocks,
        relationships,
        configuration: JsonObject::new(),
        kind: if sleeps { TemplateKind::Sleeptime } else { TemplateKind::Classic },
        version: String::new(),
    })
}

/// The names between double braces of a text.
fn placeholders_of(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
    ends.map(|(name, _)| name.trim()).filter(|name| !name.is_empty() && !name.contains(['{', '}', '\n']))
}

/// The agent of a state.
pub(super) fn agent_of(state: &TemplateState) -> Result<&TemplateAgent> {
    state.agents.first().ok_or_else(|| CoreError::Internal("a template without an agent was kept".into()))
}

/// The blocks that a template's agent has. A state without any relationship gives it all.
pub(super) fn blocks_of<'a>(
    state: &'a TemplateState,
    agent: &'a TemplateAgent,
) -> impl Iterator<Item = &'a TemplateBlock> {
    let related = move |block: &TemplateBlock| {
        state.relationships.is_empty()
            || state.relationships.iter().any(|relation| {
                relation.agent_entity_id == agent.entity_id && relation.block_entity_id == block.entity_id
            })
    };
    state.blocks.iter().filter(move |block| related(block))
}

/// The model of a template's agent: its settings while they are this model's, else its name.
pub(super) fn model_of(agent: &TemplateAgent) -> (Option<String>, Option<LlmConfig>) {
    match &agent.settings.llm_config {
        Some(config) if handle(config) == agent.model => (None, Some(config.clone())),
        _ => (Some(agent.model.clone()), None),
    }
}

/// The variables of the blocks' texts: what is given, else what the template says.
pub(super) fn values_of(agent: &TemplateAgent, given: JsonObject) -> JsonObject {
    let mut values = JsonObject::new();
    for variable in agent.memory_variables.iter().flat_map(|variables| &variables.data) {
        if let Some(value) = &variable.default_value {
            values.insert(variable.key.clone(), Value::String(value.clone()));
        }
    }
    values.extend(given);
    values
}

/// A block with a text as the body of its creation.
pub(super) fn block_of(block: &TemplateBlock, value: String) -> CreateBlock {
    CreateBlock {
        value,
        label: block.label.clone(),
        limit: Some(block.limit),
        project_id: None,
        template_name: None,
        is_template: None,
        template_id: None,
        base_template_id: None,
        deployment_id: None,
        entity_id: Some(block.entity_id.clone()),
        preserve_on_migration: block.preserve_on_migration,
        read_only: Some(block.read_only),
        description: Some(block.description.clone()).filter(|text| !text.is_empty()),
        metadata: None,
        hidden: None,
    }
}

/// A state as the body of a creation.
pub(super) fn body_of(state: &TemplateState, values: JsonObject) -> Result<CreateAgent> {
    let agent = agent_of(state)?;
    let (model, llm_config) = model_of(agent);
    let settings = agent.settings.clone();
    Ok(CreateAgent {
        name: Some(agent.name.clone()),
        memory_blocks: Some(blocks_of(state, agent).map(|block| block_of(block, block.value.clone())).collect()),
        tool_ids: Some(agent.tool_ids.clone().unwrap_or_default()),
        source_ids: agent.source_ids.clone(),
        tool_rules: agent.tool_rules.clone(),
        tags: agent.tags.clone(),
        system: Some(agent.system_prompt.clone()),
        agent_type: Some(agent.agent_type),
        llm_config,
        model,
        embedding_config: settings.embedding_config,
        // The tools and rules that come with a kind of agent are among those that the template names.
        include_base_tools: Some(false),
        include_base_tool_rules: Some(false),
        description: settings.description,
        metadata: settings.metadata,
        memory_variables: Some(values_of(agent, values)).filter(|values| !values.is_empty()),
        identity_ids: agent.identity_ids.clone(),
        message_buffer_autoclear: settings.message_buffer_autoclear,
        enable_sleeptime: (state.kind == TemplateKind::Sleeptime).then_some(true),
        response_format: settings.response_format,
        timezone: settings.timezone,
        max_files_open: settings.max_files_open,
        per_file_view_window_char_limit: settings.per_file_view_window_char_limit,
        hidden: settings.hidden,
        ..CreateAgent::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_in_any_text() {
        let names = |text| placeholders_of(text).collect::<Vec<_>>();
        assert_eq!(names("Name: {{name}}, {{ ticket }}; {{}} {{open"), ["name", "ticket"]);
        assert_eq!(names("}} {{a}}{{b}}"), ["a", "b"]);
        assert!(names("{ no }").is_empty());
    }
}
