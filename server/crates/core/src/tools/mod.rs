//! The registry of tools, and which agent has which.

mod create;
mod policy;
mod reading;
mod search;
mod signature;
mod update;
mod upload;

pub use create::{fresh, requirements};
pub use policy::{ToolPolicy, kind};
pub use reading::entry_point;
pub use search::{FoundTool, ToolSearch};
pub use signature::{Origin, check_schema, language};
pub use upload::{Upload, UploadKind};

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, JsonObject, Page, ToolId,
    agent::AgentType,
    tool::{DEFAULT_RETURN_CHAR_LIMIT, Tool, ToolType},
    tool_rule::ToolRule,
};
use mneme_macros::boxed;
use mneme_sandbox::ToolSpec;
use mneme_store::tools::{self, ToolFilter};

use crate::{
    Core, CoreError, Result,
    execute::{RUN_CODE, run_code_spec},
};

/// The type of a built-in tool in the API's names.
fn builtin_type(name: &str) -> ToolType {
    match name {
        "core_memory_append" | "core_memory_replace" | MEMORY => ToolType::LettaMemoryCore,
        "memory_insert" | "memory_replace" | "memory_rethink" | "memory_finish_edits" => ToolType::LettaSleeptimeCore,
        "open_files" | "grep_files" | "semantic_search_files" => ToolType::LettaFilesCore,
        "send_message_to_agent_and_wait_for_reply"
        | "send_message_to_agent_async"
        | "send_message_to_agents_matching_tags"
        | "send_message_to_all_agents_in_group"
        | "choose_next_participant" => ToolType::LettaMultiAgentCore,
        "web_search" | "fetch_webpage" | RUN_CODE => ToolType::LettaBuiltin,
        _ => ToolType::LettaCore,
    }
}

/// Refuses a limit that would cut everything or nothing.
fn check_return_limit(limit: i64) -> Result<()> {
    if !(1..=10_000_000).contains(&limit) {
        return Err(CoreError::field("return_char_limit", "must be between 1 and 10,000,000"));
    }
    Ok(())
}

/// The tools that a new agent gets unless it asks for none.
pub fn base_tools(agent_type: AgentType) -> &'static [&'static str] {
    match agent_type {
        AgentType::LettaV1Agent => &["conversation_search", "memory_insert", "memory_replace"],
        AgentType::MemgptV2Agent => &["send_message", "conversation_search", "memory_insert", "memory_replace"],
        AgentType::MemgptAgent | AgentType::SplitThreadAgent => &[
            "send_message",
            "conversation_search",
            "core_memory_append",
            "core_memory_replace",
            "archival_memory_insert",
            "archival_memory_search",
        ],
        AgentType::SleeptimeAgent | AgentType::VoiceSleeptimeAgent => {
            &["memory_insert", "memory_replace", "memory_rethink", "memory_finish_edits"]
        }
        AgentType::VoiceConvoAgent => &["send_message", "conversation_search"],
        AgentType::ReactAgent | AgentType::WorkflowAgent => &[],
    }
}

/// The tools with which agents talk that an agent may ask for as a set.
pub const MULTI_AGENT_TOOLS: &[&str] =
    &["send_message_to_agent_and_wait_for_reply", "send_message_to_agents_matching_tags"];

/// The tools with which an agent edits its memory. Where a sleep-time agent does that, it has none of them.
pub const MEMORY_EDITS: &[&str] =
    &["memory_insert", "memory_replace", "memory_rethink", "core_memory_append", "core_memory_replace", MEMORY];

/// The tool that makes memory blocks, renames them and takes them away.
pub const MEMORY: &str = "memory";

/// The rules that come with an older architecture's tools. The current one needs none: it ends a turn by not calling.
pub fn base_rules(agent_type: AgentType, names: &[&str]) -> Vec<ToolRule> {
    if agent_type == AgentType::LettaV1Agent {
        return Vec::new();
    }
    let rule = |name: &&str| {
        let tool_name = (*name).to_owned();
        match *name {
            "send_message" | "memory_finish_edits" => Some(ToolRule::ExitLoop { tool_name, prompt_template: None }),
            "conversation_search"
            | "archival_memory_insert"
            | "archival_memory_search"
            | "memory_insert"
            | "memory_replace"
            | "memory_rethink"
            | "core_memory_append"
            | "core_memory_replace"
            | MEMORY => Some(ToolRule::ContinueLoop { tool_name, prompt_template: None }),
            _ => None,
        }
    };
    names.iter().filter_map(rule).collect()
}

/// Models call tools by their names, so an agent cannot have two of one name. Those of different MCP servers may share one.
pub fn name_twice(name: &str) -> CoreError {
    CoreError::Conflict(format!("The agent has another tool named {name} already; detach that one first"))
}

#[boxed]
impl Core {
    /// Makes the registry hold every built-in tool as this version describes it. Returns them.
    ///
    /// # Errors
    /// 503 without a database or sandbox.
    pub async fn ensure_builtin_tools(self: &Arc<Self>, actor: &Actor) -> Result<Vec<Tool>> {
        let builtins = self.sandbox.builtin().await.map_err(|error| CoreError::Unavailable(error.to_string()))?;
        let specs: Vec<ToolSpec> = builtins.specs().cloned().chain([run_code_spec()]).collect();
        let names: Vec<String> = specs.iter().map(|spec| spec.name.clone()).collect();
        let known = {
            let mut conn = self.store.read().await?;
            tools::by_names(&mut conn, actor, &names).await?
        };
        let mut result = Vec::new();
        let mut tx = None;
        for spec in &specs {
            let mut schema = JsonObject::new();
            schema.insert("name".into(), spec.name.clone().into());
            schema.insert("description".into(), spec.description.clone().into());
            schema.insert("parameters".into(), spec.parameters.clone());
            let tool_type = builtin_type(&spec.name);
            let fresh = |id: ToolId| Tool {
                id,
                tool_type,
                description: Some(spec.description.clone()),
                source_type: Some("wasm".into()),
                name: Some(spec.name.clone()),
                tags: vec![tool_type.as_str().into()],
                source_code: None,
                json_schema: Some(schema.clone()),
                args_json_schema: None,
                return_char_limit: DEFAULT_RETURN_CHAR_LIMIT,
                pip_requirements: None,
                npm_requirements: None,
                default_requires_approval: None,
                enable_parallel_execution: Some(false),
                created_by_id: Some(actor.user.to_string()),
                last_updated_by_id: Some(actor.user.to_string()),
                metadata_: Some(JsonObject::new()),
            };
            match known.iter().find(|tool| tool.call_name() == spec.name) {
                Some(tool) if tool.json_schema.as_ref() == Some(&schema) => result.push(tool.clone()),
                Some(tool) if tool.tool_type.is_builtin() => {
                    let mut tool = tool.clone();
                    tool.description = Some(spec.description.clone());
                    tool.json_schema = Some(schema);
                    let tx = self.open(&mut tx).await?;
                    tools::update(tx, actor, &tool, self.env.now()).await?;
                    result.push(tool);
                }
                // A user's own tool of that name stays theirs.
                Some(tool) => result.push(tool.clone()),
                None => {
                    let tool = fresh(ToolId::from_uuid(self.env.uuid()));
                    let tx = self.open(&mut tx).await?;
                    tools::insert(tx, actor, &tool, self.env.now()).await?;
                    result.push(tool);
                }
            }
        }
        if let Some(tx) = tx {
            tx.commit().await?;
        }
        Ok(result)
    }

    async fn open<'a>(&self, tx: &'a mut Option<mneme_store::Conn>) -> Result<&'a mut mneme_store::Conn> {
        match tx {
            Some(tx) => Ok(tx),
            None => Ok(tx.insert(self.store.write().await?)),
        }
    }

    /// Adds the built-in tools that are missing; all of them come back.
    ///
    /// # Errors
    /// 503 without a database or sandbox.
    pub async fn add_base_tools(self: &Arc<Self>, actor: &Actor) -> Result<Vec<Tool>> {
        self.ensure_builtin_tools(actor).await
    }

    /// Tools of the organisation.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_tools(self: &Arc<Self>, actor: &Actor, filter: ToolFilter, page: &Page) -> Result<Vec<Tool>> {
        let mut conn = self.store.read().await?;
        Ok(tools::list(&mut conn, actor, &filter, page).await?)
    }

    /// How many tools the organisation has.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn count_tools(self: &Arc<Self>, actor: &Actor, filter: ToolFilter) -> Result<i64> {
        let mut conn = self.store.read().await?;
        Ok(tools::count(&mut conn, actor, &filter).await?)
    }

    /// One tool.
    ///
    /// # Errors
    /// 404 for an unknown tool.
    pub async fn get_tool(self: &Arc<Self>, actor: &Actor, id: &ToolId) -> Result<Tool> {
        let mut conn = self.store.read().await?;
        tools::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Tool", id))
    }

    /// Deletes a tool; agents lose it.
    ///
    /// # Errors
    /// 404 for an unknown tool.
    pub async fn delete_tool(self: &Arc<Self>, actor: &Actor, id: &ToolId) -> Result<()> {
        let mut tx = self.store.write().await?;
        if !tools::delete(&mut tx, actor, id).await? {
            return Err(CoreError::missing("Tool", id));
        }
        Ok(tx.commit().await?)
    }

    /// An agent's tools.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn list_agent_tools(self: &Arc<Self>, actor: &Actor, agent: &AgentId, page: &Page) -> Result<Vec<Tool>> {
        self.require_agent(actor, agent).await?;
        let mut conn = self.store.read().await?;
        let all = tools::of_agent(&mut conn, actor, agent).await?;
        Ok(crate::agents::window(all, page, |tool| tool.id.to_string()))
    }

    /// Gives an agent a tool; giving it twice does nothing.
    ///
    /// # Errors
    /// 404 for an unknown agent or tool, 409 when the agent has another tool of that name.
    pub async fn attach_tool(self: &Arc<Self>, actor: &Actor, agent: &AgentId, id: &ToolId) -> Result<()> {
        self.require_agent(actor, agent).await?;
        let mut tx = self.store.write().await?;
        let tool = tools::get(&mut tx, actor, id).await?.ok_or_else(|| CoreError::missing("Tool", id))?;
        let others = tools::of_agent(&mut tx, actor, agent).await?;
        if others.iter().any(|other| other.id != tool.id && other.call_name() == tool.call_name()) {
            return Err(name_twice(tool.call_name()));
        }
        tools::attach(&mut tx, actor, agent, id).await?;
        if tool.default_requires_approval == Some(true) {
            self.add_rule(
                &mut tx,
                actor,
                agent,
                ToolRule::RequiresApproval { tool_name: tool.call_name().to_owned(), prompt_template: None },
            )
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Takes a tool from an agent; taking one that it has not does nothing.
    ///
    /// # Errors
    /// 404 for an unknown agent or tool.
    pub async fn detach_tool(self: &Arc<Self>, actor: &Actor, agent: &AgentId, id: &ToolId) -> Result<()> {
        self.require_agent(actor, agent).await?;
        let mut tx = self.store.write().await?;
        if tools::get(&mut tx, actor, id).await?.is_none() {
            return Err(CoreError::missing("Tool", id));
        }
        tools::detach(&mut tx, actor, agent, id).await?;
        Ok(tx.commit().await?)
    }
}
