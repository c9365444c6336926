//! What an import will write, worked out before anything is.

use std::{collections::HashMap, sync::Arc};

use mneme_domain::{
    Actor, AgentId, BlockId, EntityId, Env, GroupId, IdentityId, JsonObject,
    agent::{Agent, FILE_VIEW_CHARS, MAX_FILES_OPEN},
    block::Block,
    group::ManagerConfig,
    message::Message,
    tool::{Tool, ToolType},
};
use mneme_macros::boxed;
use mneme_store::{Conn, identities, tools};
use serde::Deserialize;
use serde_json::Value;

use super::{
    ImportOptions, entities,
    folders::{Attached, Shelf},
    lenient::{Fault, field, text, texts},
    outline::{AgentOutline, Outline},
    servers::{self, PlannedServer},
    view::{View, opens_with_system, view_of},
};
use crate::{
    Core, CoreError, Result,
    agents::stand_in,
    names,
    tools::{Origin, base_tools},
};

/// Entities of a kind that a file may have.
const MOST_ENTITIES: usize = 10_000;

/// What an import will write.
pub struct Plan {
    pub blocks: Vec<Block>,
    /// Tools of the file, each name once for each MCP server, with the names that the file has for them.
    pub tools: Vec<(Tool, Vec<String>)>,
    pub servers: Vec<PlannedServer>,
    /// The folders of the file, with their files.
    pub shelf: Shelf,
    pub agents: Vec<Planned>,
    pub groups: Vec<PlannedGroup>,
    /// Blocks by their names in the file.
    pub block_ids: HashMap<String, BlockId>,
}

/// One group to be written; its agents and blocks are names in the file.
pub struct PlannedGroup {
    pub place: String,
    pub id: GroupId,
    /// Its name in the file.
    pub file_id: Option<String>,
    pub agents: Vec<String>,
    pub manager: Option<String>,
    pub config: ManagerConfig,
    pub description: String,
    pub blocks: Vec<String>,
    pub hidden: Option<bool>,
}

/// One agent to be written.
pub struct Planned {
    /// What it is called when something is wrong with it.
    pub place: String,
    /// Its name in the file.
    pub file_id: Option<String>,
    pub agent: Agent,
    pub blocks: Vec<Block>,
    /// Names in the file of its tools.
    pub tools: Vec<String>,
    /// Names of tools that this server has.
    pub named_tools: Vec<String>,
    pub tags: Vec<String>,
    pub variables: Vec<(String, String)>,
    pub identities: Vec<IdentityId>,
    /// Its folders, and what it has open of them.
    pub attached: Attached,
    /// The instructions as a message of their own.
    pub system: Message,
    pub view: View,
    /// Whether the file has the instructions as the first message in view; the fresh ones take its place.
    pub opens_with_system: bool,
}

/// Says which entity something is wrong with.
pub fn wrong(place: &str, fault: impl std::fmt::Display) -> CoreError {
    CoreError::Invalid(format!("{place}: {fault}"))
}

fn place_of(kind: &str, index: usize, fields: &JsonObject) -> String {
    let name = ["name", "label", "server_name", "id"].iter().find_map(|key| fields.get(*key)?.as_str());
    let name: String = name.unwrap_or_default().chars().take(80).collect();
    if name.is_empty() { format!("{kind}[{index}]") } else { format!("{kind}[{index}] '{name}'") }
}

/// Takes the entities of a kind out of the file, each with its place.
pub fn listed(rest: &mut JsonObject, kind: &str) -> Result<Vec<(String, JsonObject)>> {
    let list: Option<Vec<JsonObject>> = serde_json::from_value(rest.shift_remove(kind).unwrap_or_default())
        .map_err(|error| wrong("the file", format!("{kind}: {error}")))?;
    let list = list.unwrap_or_default();
    if list.len() > MOST_ENTITIES {
        return Err(wrong("the file", format!("it has more than {MOST_ENTITIES} {kind}")));
    }
    Ok(list.into_iter().enumerate().map(|(index, fields)| (place_of(kind, index, &fields), fields)).collect())
}

impl Core {
    /// Works out what a file will become. Nothing is written.
    pub(super) async fn plan_import(
        self: &Arc<Self>,
        actor: &Actor,
        outline: Outline,
        options: &ImportOptions,
    ) -> Result<Plan> {
        let mut rest = outline.rest;
        let mut blocks = Vec::new();
        let mut block_names: HashMap<String, Block> = HashMap::new();
        for (place, fields) in listed(&mut rest, "blocks")? {
            let block = entities::block(&fields, actor, &self.env).map_err(|fault| wrong(&place, fault))?;
            let name = entities::name_in_file(&fields).map_err(|fault| wrong(&place, fault))?;
            if block_names.insert(name, block.clone()).is_some() {
                return Err(wrong(&place, "another block of the file has the same id"));
            }
            blocks.push(block);
        }
        let tools = self.plan_tools(actor, &mut rest).await?;
        let servers = servers::plan(&mut rest)?;
        let shelf = self.plan_folders(actor, &mut rest, options).await?;
        let agents = outline.agents.unwrap_or_default();
        if agents.is_empty() {
            return Err(wrong("the file", "there is no agent in it"));
        }
        let mut planned: Vec<Planned> = Vec::new();
        for (index, outline) in agents.into_iter().enumerate() {
            let place = place_of("agents", index, &outline.fields);
            let mut one = self.plan_agent(actor, outline, options, &shelf, index).await?;
            let own = std::mem::take(&mut one.blocks);
            for name in &one.block_names {
                let block = block_names.get(name);
                let block = block.ok_or_else(|| wrong(&place, format!("block_ids: '{name}' is not in the file")))?;
                one.blocks.push(block.clone());
            }
            for block in own {
                blocks.push(block.clone());
                one.blocks.push(block);
            }
            distinct_labels(&place, &mut one.blocks)?;
            for name in &one.tools {
                if !tools.iter().any(|(_, names)| names.contains(name)) {
                    return Err(wrong(&place, format!("tool_ids: '{name}' is not in the file")));
                }
            }
            let system = self.system_message(&one.agent, &one.blocks);
            let same = planned.iter().any(|other| other.file_id.is_some() && other.file_id == one.file_id);
            if same {
                return Err(wrong(&place, "another agent of the file has the same id"));
            }
            planned.push(one.finish(system));
        }
        let groups = plan_groups(&mut rest, &self.env)?;
        let block_ids = block_names.into_iter().map(|(name, block)| (name, block.id)).collect();
        Ok(Plan { blocks, tools, servers, shelf, agents: planned, groups, block_ids })
    }

    async fn plan_tools(&self, actor: &Actor, rest: &mut JsonObject) -> Result<Vec<(Tool, Vec<String>)>> {
        let mut planned: Vec<(Tool, Vec<String>)> = Vec::new();
        for (place, fields) in listed(rest, "tools")? {
            let mut tool = entities::tool(&fields, actor, &self.env).map_err(|fault| wrong(&place, fault))?;
            let file_name = entities::name_in_file(&fields).map_err(|fault| wrong(&place, fault))?;
            if tool.tool_type == ToolType::Custom {
                self.complete_tool(&mut tool).await.map_err(|error| wrong(&place, error))?;
            } else if tool.call_name().is_empty() {
                return Err(wrong(&place, "it has no name"));
            }
            let home = servers::home(&tool);
            let same = |other: &Tool| other.name == tool.name && servers::home(other) == home;
            match planned.iter_mut().find(|(other, _)| same(other)) {
                Some((_, names)) => names.push(file_name),
                None => planned.push((tool, vec![file_name])),
            }
        }
        Ok(planned)
    }

    /// Gives a user's tool the schema that its file leaves out.
    async fn complete_tool(&self, tool: &mut Tool) -> Result<()> {
        let mut schema = match (tool.json_schema.take(), &tool.source_code) {
            (Some(schema), _) => schema,
            (None, Some(source)) => {
                let origin = Origin {
                    source: source.clone(),
                    source_type: tool.source_type.clone(),
                    name: tool.name.clone(),
                    description: tool.description.clone(),
                    arguments: tool.args_json_schema.clone(),
                    schema: None,
                };
                origin.schema().await?
            }
            (None, None) => JsonObject::new(),
        };
        if let Some(name) = &tool.name {
            schema.entry("name").or_insert(name.clone().into());
        }
        let parameters = serde_json::json!({"type": "object", "properties": {}, "required": []});
        schema.entry("parameters").or_insert(parameters);
        crate::tools::check_schema(&schema)?;
        tool.name = schema.get("name").and_then(Value::as_str).map(str::to_owned);
        tool.json_schema = Some(schema);
        Ok(())
    }

    async fn plan_agent(
        self: &Arc<Self>,
        actor: &Actor,
        outline: AgentOutline,
        options: &ImportOptions,
        shelf: &Shelf,
        index: usize,
    ) -> Result<Draft> {
        let AgentOutline { fields, messages } = outline;
        let place = &place_of("agents", index, &fields);
        let fault = |fault: Fault| wrong(place, fault);
        let references = entities::references(&fields).map_err(fault)?;
        let llm_config = match (&options.model, entities::llm_config(&fields).map_err(fault)?) {
            (Some(handle), Some(own)) => stand_in(self.chat_model(actor, handle).await?, &own),
            (Some(handle), None) => self.chat_model(actor, handle).await?,
            (None, Some(config)) => config,
            (None, None) => {
                let handle = text(&fields, "model").map_err(fault)?;
                let handle = handle.ok_or_else(|| wrong(place, "it has neither llm_config nor model"))?;
                self.chat_model(actor, &handle).await.map_err(|error| wrong(place, format!("model: {error}")))?
            }
        };
        let embedding_config = match &options.embedding {
            Some(handle) => Some(self.embedding_model(actor, handle).await?),
            None => match text(&fields, "embedding").map_err(fault)? {
                Some(handle) if !fields.contains_key("embedding_config") => {
                    Some(self.embedding_model(actor, &handle).await.map_err(|error| wrong(place, error))?)
                }
                _ => entities::embedding_config(&fields).map_err(fault)?,
            },
        };
        let now = self.env.now();
        let base = Agent {
            id: AgentId::from_uuid(self.env.uuid()),
            name: names::agent_name(self.env.uuid()),
            agent_type: options.default_type,
            system: String::new(),
            llm_config,
            embedding_config,
            tool_rules: Vec::new(),
            message_ids: Vec::new(),
            response_format: None,
            description: None,
            metadata: None,
            memory_variables: None,
            project_id: options.project_id.clone(),
            template_id: None,
            base_template_id: None,
            deployment_id: None,
            entity_id: None,
            message_buffer_autoclear: false,
            enable_sleeptime: None,
            last_run_completion: None,
            last_run_duration_ms: None,
            timezone: Some("UTC".into()),
            max_files_open: Some(MAX_FILES_OPEN),
            per_file_view_window_char_limit: Some(FILE_VIEW_CHARS),
            hidden: None,
            created_at: now,
            updated_at: now,
            created_by_id: Some(actor.user.to_string()),
            last_updated_by_id: Some(actor.user.to_string()),
            version: 1,
            fence: 0,
        };
        let mut agent = entities::agent(&fields, options.default_type, base).map_err(fault)?;
        match &options.name {
            Some(name) if index == 0 => agent.name = name.clone(),
            _ if options.append_copy_suffix => agent.name.push_str("_copy"),
            _ => {}
        }
        let mut own = Vec::new();
        for (index, block) in references.own_blocks.iter().enumerate() {
            let block = entities::block(block, actor, &self.env);
            own.push(block.map_err(|error| wrong(place, format!("memory_blocks[{index}]: {error}")))?);
        }
        let mut named_tools = references.named_tools;
        if references.include_base_tools {
            named_tools.extend(base_tools(agent.agent_type).iter().map(|&name| name.to_owned()));
        }
        let view = if options.strip_messages || messages.count == 0 {
            View::Nothing
        } else {
            view_of(&fields).map_err(fault)?
        };
        Ok(Draft {
            place: place.to_owned(),
            file_id: text(&fields, "id").map_err(fault)?,
            variables: variables_of(references.variables, &options.variables),
            agent,
            blocks: own,
            block_names: references.blocks,
            tools: references.tools,
            named_tools,
            tags: crate::agents::unique(references.tags),
            identities: references.identities.iter().filter_map(|id| IdentityId::parse(id).ok()).collect(),
            attached: shelf.attached(&fields).map_err(fault)?,
            opens_with_system: opens_with_system(&view, &messages),
            view,
        })
    }
}

fn plan_groups(rest: &mut JsonObject, env: &Env) -> Result<Vec<PlannedGroup>> {
    let mut planned: Vec<PlannedGroup> = Vec::new();
    for (place, fields) in listed(rest, "groups")? {
        let fault = |fault: Fault| wrong(&place, fault);
        let mut config: JsonObject = field(&fields, "manager_config").map_err(fault)?.unwrap_or_default();
        let manager = text(&config, "manager_agent_id").map_err(fault)?;
        config.retain(|key, value| key != "manager_agent_id" && !value.is_null());
        let file_id = text(&fields, "id").map_err(fault)?;
        if planned.iter().any(|other| other.file_id.is_some() && other.file_id == file_id) {
            return Err(wrong(&place, "another group of the file has the same id"));
        }
        planned.push(PlannedGroup {
            agents: texts(&fields, "agent_ids").map_err(fault)?,
            manager,
            config: ManagerConfig::deserialize(Value::Object(config)).map_err(|error| wrong(&place, error))?,
            description: text(&fields, "description").map_err(fault)?.unwrap_or_default(),
            blocks: texts(&fields, "shared_block_ids").map_err(fault)?,
            hidden: field(&fields, "hidden").map_err(fault)?,
            id: GroupId::from_uuid(env.uuid()),
            file_id,
            place,
        });
    }
    Ok(planned)
}

/// An agent whose blocks are still names.
struct Draft {
    place: String,
    file_id: Option<String>,
    agent: Agent,
    blocks: Vec<Block>,
    block_names: Vec<String>,
    tools: Vec<String>,
    named_tools: Vec<String>,
    tags: Vec<String>,
    variables: Vec<(String, String)>,
    identities: Vec<IdentityId>,
    attached: Attached,
    view: View,
    opens_with_system: bool,
}

impl Draft {
    fn finish(self, system: Message) -> Planned {
        Planned {
            place: self.place,
            file_id: self.file_id,
            agent: self.agent,
            blocks: self.blocks,
            tools: self.tools,
            named_tools: self.named_tools,
            tags: self.tags,
            variables: self.variables,
            identities: self.identities,
            attached: self.attached,
            system,
            view: self.view,
            opens_with_system: self.opens_with_system,
        }
    }
}

/// The variables of an agent: those that the importer gives, and those that the file names, with the values that it has.
fn variables_of(of_file: JsonObject, given: &[(String, String)]) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = of_file
        .into_iter()
        .map(|(key, value)| match value {
            Value::Null => (key, String::new()),
            Value::String(text) => (key, text),
            other => (key, other.to_string()),
        })
        .collect();
    for (key, value) in given {
        match variables.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => known.clone_from(value),
            None => variables.push((key.clone(), value.clone())),
        }
    }
    variables
}

fn distinct_labels(place: &str, blocks: &mut Vec<Block>) -> Result<()> {
    let mut seen: Vec<(Option<String>, BlockId)> = Vec::new();
    let mut kept = Vec::new();
    for block in blocks.drain(..) {
        if seen.iter().any(|(_, id)| *id == block.id) {
            continue;
        }
        if seen.iter().any(|(label, _)| *label == block.label) {
            let label = block.label.unwrap_or_default();
            return Err(wrong(place, format!("two of its blocks have the label '{label}'")));
        }
        seen.push((block.label.clone(), block.id.clone()));
        kept.push(block);
    }
    *blocks = kept;
    Ok(())
}

/// Writes a tool of a file, or finds the one that stands for it.
#[boxed]
pub async fn settle_tool(
    tx: &mut Conn,
    actor: &Actor,
    tool: &Tool,
    may_override: bool,
    now: mneme_domain::Timestamp,
) -> Result<Tool> {
    let Some(known) = tools::by_name(tx, actor, tool.call_name()).await? else {
        if tool.is_uploaded() {
            return Err(CoreError::Invalid(
                "it is compiled code, which agent files do not carry: send the tool itself first, then import again"
                    .into(),
            ));
        }
        tools::insert(tx, actor, tool, now).await?;
        return Ok(tool.clone());
    };
    let of_user = |tool: &Tool| tool.tool_type == ToolType::Custom && !tool.is_uploaded();
    let same = known.source_code == tool.source_code && known.json_schema == tool.json_schema;
    if !may_override || same || !of_user(tool) || !of_user(&known) {
        return Ok(known);
    }
    let changed = Tool { id: known.id.clone(), created_by_id: known.created_by_id.clone(), ..tool.clone() };
    tools::update(tx, actor, &changed, now).await?;
    Ok(changed)
}

/// The identities of these that there are.
#[boxed]
pub async fn known_identities(tx: &mut Conn, actor: &Actor, ids: &[IdentityId]) -> Result<Vec<IdentityId>> {
    Ok(identities::get_many(tx, actor, ids).await?.into_iter().map(|identity| identity.id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_importers_values_go_before_those_of_the_file() {
        let of_file = match serde_json::json!({"A": null, "B": "b", "C": 3}) {
            Value::Object(fields) => fields,
            _ => JsonObject::new(),
        };
        let given = [("A".to_owned(), "new".to_owned()), ("D".to_owned(), "d".to_owned())];
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let expected = [("A", "new"), ("B", "b"), ("C", "3"), ("D", "d")].map(pair);
        assert_eq!(variables_of(of_file, &given), expected);
    }
}
