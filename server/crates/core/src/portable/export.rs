//! Writes agents as a file, message by message: a long history is never held whole.

use std::sync::Arc;

use async_stream::try_stream;
use bytes::Bytes;
use futures::Stream;
use mneme_domain::{
    Actor, AgentId, BlockId, EntityId, JsonObject, Page, ToolId,
    agent::{AgentFull, AgentVariable, Include},
    block::Block,
    group::Group,
    mcp::McpServer,
    message::{Message, MessageRole},
    tool::Tool,
};
use mneme_macros::boxed;
use mneme_store::{
    agents, blocks,
    groups::{self, GroupFilter},
    messages,
};
use serde_json::{Value, json};

use super::{
    folders::Library,
    message::{Names, write, write_legacy},
    outline::MOST_AGENTS,
    servers,
};
use crate::{Core, CoreError, Result, groups::members};

/// Messages that are read at once.
const PAGE: u32 = 200;
/// The schema of the files that this server writes, in the words of the server that defined them.
const REVISION: &str = "f6cd5a1e519d";
/// The version that a file of the older format claims.
const LEGACY_VERSION: &str = "0.11.7";

#[boxed]
impl Core {
    /// An agent as a file of the current format, with what belongs to it. Secrets' values stay here, and so does everything
    /// that was said, when it is to be `scrubbed`.
    ///
    /// # Errors
    /// 404 for an unknown agent; later ones break the stream off.
    pub async fn export_agent(
        self: &Arc<Self>,
        actor: &Actor,
        id: &AgentId,
        scrubbed: bool,
    ) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
        let (all, groups) = self.exported(actor, id).await?;
        let mut library = Library::of(self, actor, &all).await?;
        let mut shared = Shared { servers: servers::of(self, actor, &all).await?, ..Shared::default() };
        let mut heads: Vec<(AgentId, JsonObject)> = Vec::with_capacity(all.len());
        for (index, full) in all.iter().enumerate() {
            heads.push((full.agent.id.clone(), shared.head(full, index, library.folders_of(full))));
        }
        let blocks: Vec<BlockId> = groups.iter().flat_map(|group| group.shared_block_ids.iter().cloned()).collect();
        for stored in blocks::get_many(&mut self.store.read().await?, actor, &blocks).await? {
            shared.block(&stored.block);
        }
        let written: Vec<Value> =
            groups.iter().enumerate().map(|(index, group)| shared.group(group, index, &heads)).collect();
        let created_at = self.env.now().to_rfc3339();
        let (core, actor) = (Arc::clone(self), actor.clone());
        Ok(try_stream! {
                    yield Bytes::from_static(b"{\"agents\":[");
                    let mut number = 0_usize;
                    for (index, (full, (id, head))) in all.iter().zip(&heads).enumerate() {
                        let mut text = if index > 0 { ",".to_owned() } else { String::new() };
                        text.push_str(&open_object(head)?);
                        text.push_str("\"messages\":[");
                        yield Bytes::from(text);
                        let mut pages = Pages::new(id, scrubbed);
                        let mut first = true;
                        while let Some(page) = pages.next(&core, &actor).await? {
                            let mut text = String::new();
                            for message in &page {
                                let name = format!("message-{number}");
                                number += 1;
                                if full.agent.message_ids.contains(&message.id) || message.role == MessageRole::Approval {
                                    shared.names.message(&message.id, &name);
                                }
                                if !std::mem::take(&mut first) {
                                    text.push(',');
                                }
                                text.push_str(&json_text(&write(message, &name, &format!("agent-{index}"), &shared.names))?);
                            }
                            yield Bytes::from(text);
                        }
                        let view: Vec<&str> =
                            full.agent.message_ids.iter().filter_map(|id| shared.names.of_message(id.as_str())).collect();
                        let mine = groups.iter().enumerate().filter(|(_, group)| members(group).any(|member| member == id));
                        let group_ids: Vec<String> = mine.map(|(index, _)| format!("group-{index}")).collect();
                        let files = library.views_of(full, &format!("agent-{index}"));
                        let tail = json!({"in_context_message_ids": view, "files_agents": files, "group_ids": group_ids});
                        let end = close_object(&tail)?;
                yield Bytes::from(format!("],{end}"));
                    }
                    let rest = json!({
                        "groups": written,
                        "blocks": shared.blocks.iter().map(|(_, block)| block).collect::<Vec<_>>(),
                    });
                    let mut text = open_object(&joined([rest]))?;
                    text.push_str("\"files\":[");
                    let text = text.split_off(1);
                    yield Bytes::from(format!("],{text}"));
                    for index in 0..library.count() {
                        let comma = if index > 0 { "," } else { "" };
                        let file = library.file(&core, &actor, index).await?;
                        yield Bytes::from(format!("{comma}{file}"));
                    }
                    let rest = json!({
                        "sources": library.folders(),
                        "tools": shared.tools.iter().map(|(_, tool)| tool).collect::<Vec<_>>(),
                        "mcp_servers": servers::written(&shared.servers),
                        "metadata": {"revision_id": REVISION},
                        "created_at": created_at,
                    });
                    let end = close_object(&rest)?;
        yield Bytes::from(format!("],{end}"));
                })
    }

    /// An agent as a file of the older format, which holds one agent.
    ///
    /// # Errors
    /// As [`Core::export_agent`].
    pub async fn export_agent_legacy(
        self: &Arc<Self>,
        actor: &Actor,
        id: &AgentId,
        scrubbed: bool,
    ) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
        let full = self.full_agent(actor, id).await?;
        let (core, actor, id) = (Arc::clone(self), actor.clone(), id.clone());
        Ok(try_stream! {
                    let mut text = open_object(&legacy_head(&full))?;
                    text.push_str("\"messages\":[");
                    yield Bytes::from(text);
                    let mut pages = Pages::new(&id, scrubbed);
                    let mut view: Vec<(usize, usize)> = Vec::new();
                    let mut number = 0_usize;
                    while let Some(page) = pages.next(&core, &actor).await? {
                        let mut text = String::new();
                        for message in &page {
                            if let Some(place) = full.agent.message_ids.iter().position(|id| *id == message.id) {
                                view.push((place, number));
                            }
                            if number > 0 {
                                text.push(',');
                            }
                            number += 1;
                            text.push_str(&json_text(&write_legacy(message))?);
                        }
                        yield Bytes::from(text);
                    }
                    view.sort_unstable();
                    let view: Vec<usize> = view.into_iter().map(|(_, number)| number).collect();
                    let tail = json!({"in_context_message_indices": view, "version": LEGACY_VERSION});
                    let end = close_object(&tail)?;
        yield Bytes::from(format!("],{end}"));
                })
    }

    async fn full_agent(&self, actor: &Actor, id: &AgentId) -> Result<AgentFull> {
        let mut conn = self.store.read().await?;
        agents::full(&mut conn, actor, id, Include::ALL).await?.ok_or_else(|| CoreError::missing("Agent", id))
    }

    /// The agents and groups that go into one file: the groups in which the agent is, all who are in them, and those who
    /// look after the memory of these.
    async fn exported(&self, actor: &Actor, id: &AgentId) -> Result<(Vec<AgentFull>, Vec<Group>)> {
        let mut all = vec![self.full_agent(actor, id).await?];
        let mut found: Vec<Group> = Vec::new();
        let mut next = 0;
        while let Some(agent) = all.get(next).map(|full| full.agent.id.clone()) {
            let filter = GroupFilter { agent_id: Some(agent.clone()), include_hidden: true, ..GroupFilter::default() };
            let listed = groups::list(&mut self.store.read().await?, actor, &filter, &Page::all()).await?;
            let looked_after =
                |group: &Group| group.manager_type.is_sleeptime() && group.manager_agent_id.as_ref() == Some(&agent);
            for group in listed.into_iter().filter(|group| next == 0 || looked_after(group)) {
                if found.iter().any(|known| known.id == group.id) {
                    continue;
                }
                for member in members(&group) {
                    if !all.iter().any(|full| full.agent.id == *member) {
                        all.push(self.full_agent(actor, member).await?);
                    }
                }
                if all.len() > MOST_AGENTS {
                    let reason = format!("The agent's groups have more agents than an agent file holds: {MOST_AGENTS}");
                    return Err(CoreError::Invalid(reason));
                }
                found.push(group);
            }
            next += 1;
        }
        Ok((all, found))
    }
}

fn json_text(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| CoreError::Internal(format!("a file cannot be written: {error}")))
}

/// The text of an object that goes on.
fn open_object(fields: &JsonObject) -> Result<String> {
    let mut text = json_text(fields)?;
    text.pop();
    if !fields.is_empty() {
        text.push(',');
    }
    Ok(text)
}

/// The text of an object that was begun before.
fn close_object(fields: &Value) -> Result<String> {
    Ok(json_text(fields)?.split_off(1))
}

/// An agent's messages, oldest first, page by page; none when they are scrubbed.
struct Pages {
    agent: AgentId,
    page: Page,
    over: bool,
}

impl Pages {
    fn new(agent: &AgentId, scrubbed: bool) -> Self {
        Self { agent: agent.clone(), page: Page { limit: PAGE, ..Page::all() }, over: scrubbed }
    }

    async fn next(&mut self, core: &Core, actor: &Actor) -> Result<Option<Vec<Message>>> {
        if self.over {
            return Ok(None);
        }
        let mut conn = core.store.read().await?;
        let filter = messages::MessageFilter::default();
        let page = messages::list(&mut conn, actor, &self.agent, &filter, &self.page).await?;
        self.over = page.len() < PAGE as usize;
        self.page.after = page.last().map(|message| message.id.to_string());
        Ok((!page.is_empty()).then_some(page))
    }
}

/// What the agents of a file share, under the names that it has there.
#[derive(Default)]
struct Shared {
    blocks: Vec<(BlockId, Value)>,
    tools: Vec<(ToolId, Value)>,
    servers: Vec<McpServer>,
    names: Names,
}

impl Shared {
    fn block(&mut self, block: &Block) -> String {
        if let Some(index) = self.blocks.iter().position(|(id, _)| *id == block.id) {
            return format!("block-{index}");
        }
        let name = format!("block-{}", self.blocks.len());
        let mut written = json!(block);
        if let Value::Object(fields) = &mut written {
            fields.shift_remove("created_by_id");
            fields.shift_remove("last_updated_by_id");
            fields.insert("id".into(), name.clone().into());
        }
        self.blocks.push((block.id.clone(), written));
        name
    }

    fn tool(&mut self, tool: &Tool) -> String {
        if let Some(index) = self.tools.iter().position(|(id, _)| *id == tool.id) {
            return format!("tool-{index}");
        }
        let name = format!("tool-{}", self.tools.len());
        let mut written = json!(tool);
        if let Value::Object(fields) = &mut written {
            fields.insert("id".into(), name.clone().into());
            servers::name_home(fields, tool, &self.servers);
        }
        self.tools.push((tool.id.clone(), written));
        name
    }

    /// A group. Its blocks and agents have their names by now.
    fn group(&mut self, group: &Group, index: usize, heads: &[(AgentId, JsonObject)]) -> Value {
        let own = format!("group-{index}");
        self.names.group(&group.id, own.clone());
        let name = |id: &AgentId| heads.iter().position(|(other, _)| other == id).map(|index| format!("agent-{index}"));
        let block =
            |id: &BlockId| self.blocks.iter().position(|(other, _)| other == id).map(|index| format!("block-{index}"));
        let mut config = JsonObject::new();
        for (key, value) in [
            ("manager_type", json!(group.manager_type)),
            ("manager_agent_id", json!(group.manager_agent_id.as_ref().and_then(name))),
            ("max_turns", json!(group.max_turns)),
            ("termination_token", json!(group.termination_token)),
            ("sleeptime_agent_frequency", json!(group.sleeptime_agent_frequency)),
            ("max_message_buffer_length", json!(group.max_message_buffer_length)),
            ("min_message_buffer_length", json!(group.min_message_buffer_length)),
        ] {
            if !value.is_null() {
                config.insert(key.into(), value);
            }
        }
        json!({
            "agent_ids": group.agent_ids.iter().filter_map(name).collect::<Vec<_>>(),
            "description": group.description,
            "manager_config": config,
            "project_id": null,
            "shared_block_ids": group.shared_block_ids.iter().filter_map(block).collect::<Vec<_>>(),
            "hidden": group.hidden,
            "id": own,
        })
    }

    /// An agent's fields before its messages.
    fn head(&mut self, full: &AgentFull, index: usize, folders: Vec<String>) -> JsonObject {
        let agent = &full.agent;
        self.names.agent(&agent.id, format!("agent-{index}"));
        let tools: Vec<String> = full.tools.iter().map(|tool| self.tool(tool)).collect();
        let blocks: Vec<String> = full.blocks.iter().map(|block| self.block(block)).collect();
        let hidden_values = hidden_values(&full.variables);
        let head = json!({
            "name": agent.name,
            "memory_blocks": [],
            "tools": [],
            "tool_ids": tools,
            "source_ids": folders,
            "block_ids": blocks,
            "tool_rules": agent.tool_rules,
            "tags": full.tags,
            "system": agent.system,
            "agent_type": agent.agent_type,
            "llm_config": agent.llm_config,
            "embedding_config": agent.embedding_config,
            "initial_message_sequence": null,
            "include_base_tools": false,
            "include_multi_agent_tools": false,
            "include_base_tool_rules": false,
            "include_default_source": false,
        });
        let settings = json!({
            "description": agent.description,
            "metadata": agent.metadata,
            "model": null,
            "embedding": null,
            "context_window_limit": null,
            "embedding_chunk_size": null,
            "max_tokens": null,
            "max_reasoning_tokens": null,
            "enable_reasoner": agent.llm_config.enable_reasoner,
            "reasoning": null,
            "from_template": null,
            "template": false,
            "project": null,
            "tool_exec_environment_variables": hidden_values,
            "secrets": hidden_values,
            "memory_variables": agent.memory_variables,
            "project_id": null,
            "template_id": null,
            "base_template_id": null,
            "identity_ids": null,
        });
        let rest = json!({
            "message_buffer_autoclear": agent.message_buffer_autoclear,
            "enable_sleeptime": agent.enable_sleeptime.unwrap_or(false),
            "response_format": agent.response_format,
            "timezone": agent.timezone,
            "max_files_open": agent.max_files_open,
            "per_file_view_window_char_limit": agent.per_file_view_window_char_limit,
            "hidden": agent.hidden,
            "parallel_tool_calls": agent.llm_config.parallel_tool_calls.unwrap_or(false),
            "id": format!("agent-{index}"),
        });
        joined([head, settings, rest])
    }
}

/// Some objects as one.
fn joined(parts: impl IntoIterator<Item = Value>) -> JsonObject {
    let mut whole = JsonObject::new();
    for part in parts {
        if let Value::Object(fields) = part {
            whole.extend(fields);
        }
    }
    whole
}

/// The names of an agent's variables, without what they hold.
fn hidden_values(variables: &[AgentVariable]) -> JsonObject {
    variables.iter().map(|variable| (variable.key.clone(), Value::String(String::new()))).collect()
}

fn legacy_head(full: &AgentFull) -> JsonObject {
    let agent = &full.agent;
    let (made, changed) = (agent.created_at.to_rfc3339(), agent.updated_at.to_rfc3339());
    let block = |block: &Block| {
        json!({
            "created_at": made, "description": block.description, "is_template": block.is_template,
            "label": block.label, "limit": block.limit, "metadata_": block.metadata,
            "template_name": block.template_name, "updated_at": changed, "value": block.value,
            "read_only": block.read_only,
        })
    };
    let tool = |tool: &Arc<Tool>| {
        json!({
            "args_json_schema": tool.args_json_schema, "created_at": made,
            "description": tool.description.as_deref().unwrap_or_default(), "json_schema": tool.json_schema,
            "name": tool.name, "return_char_limit": tool.return_char_limit, "source_code": tool.source_code,
            "source_type": tool.source_type.as_deref().unwrap_or("python"), "tags": tool.tags,
            "tool_type": tool.tool_type, "updated_at": changed, "metadata_": tool.metadata_,
            "pip_requirements": tool.pip_requirements, "npm_requirements": tool.npm_requirements,
        })
    };
    let variable = |variable: &AgentVariable| {
        let made = variable.created_at.unwrap_or(agent.created_at).to_rfc3339();
        let changed = variable.updated_at.unwrap_or(agent.updated_at).to_rfc3339();
        json!({
            "created_at": made, "description": variable.description, "key": variable.key, "updated_at": changed,
            "value": "",
        })
    };
    let head = json!({
        "agent_type": agent.agent_type,
        "core_memory": full.blocks.iter().map(block).collect::<Vec<_>>(),
        "created_at": made,
        "description": agent.description,
        "embedding_config": agent.embedding_config,
        "llm_config": agent.llm_config,
        "message_buffer_autoclear": agent.message_buffer_autoclear,
        "metadata_": agent.metadata,
        "multi_agent_group": null,
        "name": agent.name,
        "system": agent.system,
        "tags": full.tags.iter().map(|tag| json!({"tag": tag})).collect::<Vec<_>>(),
        "timezone": agent.timezone,
        "tool_exec_environment_variables": full.variables.iter().map(variable).collect::<Vec<_>>(),
        "tool_rules": agent.tool_rules,
        "tools": full.tools.iter().map(tool).collect::<Vec<_>>(),
        "updated_at": changed,
    });
    joined([head])
}
