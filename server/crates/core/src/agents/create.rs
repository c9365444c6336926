//! A new agent.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, BlockId, IdentityId, JsonObject, MessageId, Patch, SourceId, ToolId,
    agent::{
        Agent, AgentFull, AgentState, AgentType, AgentVariable, CreateAgent, FILE_VIEW_CHARS, Include, MAX_FILES_OPEN,
    },
    block::{Block, CreateBlock},
    content::ContentPart,
    folder::Folder,
    message::{Message, MessageRole},
    tool::Tool,
    tool_rule::ToolRule,
};
use mneme_macros::boxed;
use mneme_store::{Conn, StoreError, agents, blocks, folders, identities, messages, tools};
use serde_json::Value;

use super::{check_response_format, check_timezone, model::ModelChoice, unique, variables};
use crate::{
    Core, CoreError, Result,
    context::prompt,
    files::FILE_TOOLS,
    groups::Sleeper,
    names, prompts,
    templates::Origin,
    tools::{MEMORY_EDITS, MULTI_AGENT_TOOLS, base_rules, base_tools, name_twice},
    turn::{rules, thoughts},
};

/// An agent as it is to be written, with what hangs off it.
struct New<'a> {
    agent: &'a Agent,
    messages: &'a [Message],
    /// Blocks that come into being with it.
    own_blocks: &'a [Block],
    /// All its blocks.
    blocks: &'a [Block],
    tools: &'a [ToolId],
    identities: &'a [IdentityId],
    /// A folder that comes into being with it.
    own_folder: Option<&'a Folder>,
    /// All its folders.
    folders: &'a [SourceId],
    /// The agent that looks after its memory.
    sleeper: Option<&'a Sleeper>,
}

impl New<'_> {
    /// Writes all of it in one go; returns the variables as they are stored.
    async fn write(
        &self,
        mut tx: Conn,
        actor: &Actor,
        tags: &[String],
        variables: &[(String, String)],
    ) -> mneme_store::Result<Vec<AgentVariable>> {
        let id = &self.agent.id;
        let block_ids: Vec<BlockId> = self.blocks.iter().map(|block| block.id.clone()).collect();
        tx.gather();
        agents::insert(&mut tx, actor, self.agent).await?;
        messages::append(&mut tx, actor, self.messages).await?;
        blocks::insert_many(&mut tx, actor, self.own_blocks, self.agent.created_at).await?;
        blocks::attach_first(&mut tx, actor, id, &block_ids).await?;
        tools::attach_first(&mut tx, actor, id, self.tools).await?;
        if let Some(folder) = self.own_folder {
            folders::insert(&mut tx, actor, folder).await?;
        }
        for folder in self.folders {
            folders::attach(&mut tx, actor, id, folder).await?;
        }
        if !tags.is_empty() {
            agents::set_tags(&mut tx, actor, id, tags).await?;
        }
        if !self.identities.is_empty() {
            identities::set_of_agent(&mut tx, actor, id, self.identities).await?;
        }
        let mut stored = Vec::new();
        if !variables.is_empty() {
            agents::set_variables(&mut tx, actor, id, variables).await?;
            stored = agents::variables_of(&mut tx, actor, id).await?;
        }
        if let Some(sleeper) = self.sleeper {
            sleeper.write(&mut tx, actor).await?;
        }
        tx.commit().await?;
        Ok(stored)
    }
}

#[boxed]
impl Core {
    /// Makes an agent.
    ///
    /// # Errors
    /// 400 or 404 for models, tools and blocks that do not exist, 422 for values that make no sense, 502 when the
    /// model's provider cannot be asked.
    pub async fn create_agent(
        self: &Arc<Self>,
        actor: &Actor,
        body: CreateAgent,
        default_type: AgentType,
    ) -> Result<AgentState> {
        let (body, origin) = self.templated_body(actor, body).await?;
        self.make_agent(actor, body, default_type, origin).await
    }

    /// Makes an agent that may come from a template.
    pub(crate) async fn make_agent(
        self: &Arc<Self>,
        actor: &Actor,
        body: CreateAgent,
        default_type: AgentType,
        origin: Origin,
    ) -> Result<AgentState> {
        if let Some(name) = &body.timezone {
            check_timezone(name)?;
        }
        let agent_type = body.agent_type.unwrap_or(default_type);
        let form = body.model_settings.as_ref().map(|settings| settings.response_format.clone()).unwrap_or_default();
        let response_format = form.value().or(body.response_format);
        check_response_format(response_format.as_ref())?;
        let mut llm_config = self
            .choose_model(
                actor,
                ModelChoice {
                    handle: body.model.clone(),
                    config: body.llm_config.clone(),
                    context_window: body.context_window_limit,
                    max_tokens: body.max_tokens,
                    max_reasoning_tokens: body.max_reasoning_tokens,
                    reasoning: body.enable_reasoner.or(body.reasoning),
                    parallel_tool_calls: body.parallel_tool_calls,
                    settings: body.model_settings,
                    compaction: body.compaction_settings.map_or(Patch::Keep, Patch::Set),
                },
            )
            .await?;
        if body.model.is_some() && thoughts::acts_by_tools(agent_type) {
            // A model that reasons by itself need not write its thoughts into arguments.
            let native = llm_config.enable_reasoner && body.reasoning.is_none();
            llm_config.put_inner_thoughts_in_kwargs = Some(body.reasoning == Some(true) && !native);
        }
        let embedding_config = self
            .choose_embedding(actor, body.embedding.clone(), body.embedding_config.clone(), body.embedding_chunk_size)
            .await?;
        let now = self.env.now();
        let id = AgentId::from_uuid(self.env.uuid());
        let own_blocks =
            self.own_blocks(actor, body.memory_blocks.unwrap_or_default(), body.memory_variables.as_ref())?;

        let sleeps = body.enable_sleeptime == Some(true);
        let mut wanted: Vec<&str> = Vec::new();
        if body.include_base_tools != Some(false) {
            wanted.extend(base_tools(agent_type).iter().filter(|name| !sleeps || !MEMORY_EDITS.contains(*name)));
        }
        if body.include_multi_agent_tools == Some(true) {
            wanted.extend(MULTI_AGENT_TOOLS);
        }

        // Looked up before the transaction, which is then short; it fails when something is gone by then.
        let mut conn = self.store.read().await?;
        let attached = shared_blocks(&mut conn, actor, body.block_ids.as_deref().unwrap_or_default()).await?;
        let mut folders = self.named_folders(&mut conn, actor, body.folder_ids, body.source_ids).await?;
        let own_folder = (body.include_default_source == Some(true))
            .then(|| self.folder_of_its_own(actor, &id, embedding_config.as_ref()));
        folders.extend(own_folder.as_ref().map(|folder| folder.id.clone()));
        let mut named = body.tools.unwrap_or_default();
        if !folders.is_empty() {
            named.extend(FILE_TOOLS.map(str::to_owned));
        }
        let tools =
            self.tools_for(&mut conn, actor, body.tool_ids.as_deref().unwrap_or_default(), &named, &wanted).await?;
        let identities =
            crate::identities::named(&mut conn, actor, body.identity_ids.as_deref().unwrap_or_default()).await?;
        drop(conn);
        let tool_rules = rules_for(agent_type, body.tool_rules, body.include_base_tool_rules, &tools);
        let mut agent = Agent {
            id: id.clone(),
            name: body
                .name
                .filter(|name| !name.trim().is_empty())
                .unwrap_or_else(|| names::agent_name(self.env.uuid())),
            agent_type,
            system: body.system.unwrap_or_else(|| prompts::default_system(agent_type).to_owned()),
            llm_config,
            embedding_config,
            tool_rules,
            message_ids: Vec::new(),
            response_format,
            description: body.description,
            metadata: body.metadata,
            memory_variables: body.memory_variables,
            project_id: body.project_id,
            template_id: body.template_id,
            base_template_id: body.base_template_id,
            deployment_id: origin.deployment_id,
            entity_id: origin.entity_id,
            message_buffer_autoclear: body.message_buffer_autoclear.unwrap_or(false),
            enable_sleeptime: body.enable_sleeptime,
            last_run_completion: None,
            last_run_duration_ms: None,
            timezone: Some(body.timezone.unwrap_or_else(|| "UTC".into())),
            max_files_open: Some(body.max_files_open.unwrap_or(MAX_FILES_OPEN)),
            per_file_view_window_char_limit: Some(body.per_file_view_window_char_limit.unwrap_or(FILE_VIEW_CHARS)),
            hidden: body.hidden,
            created_at: now,
            updated_at: now,
            created_by_id: Some(actor.user.to_string()),
            last_updated_by_id: Some(actor.user.to_string()),
            version: 1,
            fence: 0,
        };
        let shown: Vec<Block> = own_blocks.iter().chain(&attached).cloned().collect();
        let mut first = vec![self.system_message(&agent, &shown)];
        first.extend(self.first_messages(&agent, body.initial_message_sequence));
        agent.message_ids = first.iter().map(|message| message.id.clone()).collect();

        let tags = unique(body.tags.unwrap_or_default());
        let given = body.secrets.or(body.tool_exec_environment_variables).map(variables).unwrap_or_default();
        let tool_ids: Vec<ToolId> = tools.iter().map(|tool| tool.id.clone()).collect();
        let identity_ids: Vec<IdentityId> = identities.iter().map(|identity| identity.id.clone()).collect();
        let sleeper = if sleeps {
            let mut conn = self.store.read().await?;
            Some(self.sleeper_for(&mut conn, actor, &agent, &shown).await?)
        } else {
            None
        };
        let new = New {
            sleeper: sleeper.as_ref(),
            agent: &agent,
            messages: &first,
            own_blocks: &own_blocks,
            blocks: &shown,
            tools: &tool_ids,
            identities: &identity_ids,
            own_folder: own_folder.as_ref(),
            folders: &folders,
        };
        let tx = self.store.write().await?;
        let stored = new.write(tx, actor, &tags, &given).await.map_err(|error| match error {
            StoreError::NotFound => {
                CoreError::NotFound("Something that the agent was to have was deleted in this moment".into())
            }
            other => other.into(),
        })?;
        if !folders.is_empty() {
            for folder in &folders {
                self.open_newest(actor, &id, folder).await?;
            }
            return self.get_agent(actor, &id, Include::ALL).await;
        }
        let mut identities = identities;
        for identity in &mut identities {
            identity.agent_ids.push(id.clone());
        }
        Ok(AgentState::from(AgentFull {
            agent,
            tags,
            blocks: shown,
            tools,
            variables: stored,
            identities,
            folders: Vec::new(),
            open_files: Vec::new(),
            group: sleeper.map(|sleeper| sleeper.group().clone()),
        }))
    }

    /// The blocks that a creation body describes; of two with one label the later one counts.
    fn own_blocks(&self, actor: &Actor, given: Vec<CreateBlock>, values: Option<&JsonObject>) -> Result<Vec<Block>> {
        let mut made: Vec<Block> = Vec::new();
        for mut create in given {
            if let Some(values) = values {
                create.value = substitute(&create.value, values);
            }
            let block = self.new_block(actor, create)?;
            match made.iter_mut().find(|other| other.label == block.label) {
                Some(other) => *other = block,
                None => made.push(block),
            }
        }
        Ok(made)
    }

    /// The first message of an agent's context.
    pub(crate) fn system_message(&self, agent: &Agent, blocks: &[Block]) -> Message {
        let now = self.env.now();
        let id = MessageId::from_uuid(self.env.uuid());
        let mut message = Message::new(id, agent.id.clone(), MessageRole::System, now);
        let fixed = prompt::fixed_part(&agent.system, blocks, &agent.tool_rules, "");
        let facts = prompt::Facts {
            now,
            memory_changed: now,
            recall_messages: 0,
            timezone: agent.timezone.as_deref().unwrap_or("UTC"),
            // A later turn tells what is in archives that were attached before.
            memories: 0,
            tags: &[],
        };
        message.content = vec![ContentPart::text(prompt::join(&fixed, facts))];
        message.model = Some(agent.llm_config.model.clone());
        message
    }

    /// The tools named by id and by name with the base tools that are not among them.
    pub(crate) async fn tools_for(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        ids: &[ToolId],
        named: &[String],
        base: &[&str],
    ) -> Result<Vec<Arc<Tool>>> {
        let mut all: Vec<Arc<Tool>> = Vec::new();
        let names: Vec<String> = named.iter().cloned().chain(base.iter().map(|name| (*name).to_owned())).collect();
        let found = tools::find(conn, actor, ids, &names).await?;
        for id in ids {
            let tool = found.iter().find(|tool| tool.id == *id).ok_or_else(|| CoreError::missing("Tool", id))?;
            push_new(&mut all, tool)?;
        }
        for name in &names {
            // Several MCP servers may have a tool of the name; one that is named by its identifier goes before.
            if all.iter().any(|tool| tool.call_name() == name) {
                continue;
            }
            let found = found.iter().find(|tool| tool.call_name() == name);
            push_new(&mut all, found.ok_or_else(|| CoreError::NotFound(format!("Tool with name {name} not found")))?)?;
        }
        Ok(all)
    }
}

fn push_new(all: &mut Vec<Arc<Tool>>, tool: &Arc<Tool>) -> Result<()> {
    match all.iter().find(|other| other.call_name() == tool.call_name()) {
        Some(other) if other.id == tool.id => {}
        Some(_) => return Err(name_twice(tool.call_name())),
        None => all.push(Arc::clone(tool)),
    }
    Ok(())
}

async fn shared_blocks(tx: &mut Conn, actor: &Actor, ids: &[BlockId]) -> Result<Vec<Block>> {
    let found = blocks::get_many(tx, actor, ids).await?;
    let mut all: Vec<Block> = Vec::new();
    for id in ids {
        let stored = found.iter().find(|stored| stored.block.id == *id);
        let block = &stored.ok_or_else(|| CoreError::missing("Block", id))?.block;
        if !all.iter().any(|other| other.id == block.id) {
            all.push(block.clone());
        }
    }
    Ok(all)
}

/// The rules that come with tools whose author wants each call approved.
pub(super) fn approval_rules<'a>(tools: impl IntoIterator<Item = &'a Arc<Tool>>) -> impl Iterator<Item = ToolRule> {
    tools
        .into_iter()
        .filter(|tool| tool.default_requires_approval == Some(true))
        .map(|tool| ToolRule::RequiresApproval { tool_name: tool.call_name().to_owned(), prompt_template: None })
}

fn rules_for(
    agent_type: AgentType,
    given: Option<Vec<ToolRule>>,
    include_base: Option<bool>,
    tools: &[Arc<Tool>],
) -> Vec<ToolRule> {
    let mut rules = given.unwrap_or_default();
    if include_base != Some(false) {
        let names: Vec<&str> = tools.iter().map(|tool| tool.call_name()).collect();
        for rule in base_rules(agent_type, &names) {
            if !rules.iter().any(|other| other.tool_name() == rule.tool_name()) {
                rules.push(rule);
            }
        }
    }
    rules.extend(approval_rules(tools));
    rules::unique(rules)
}

/// Puts values in the place of `{{name}}`; names without a value stay.
pub(crate) fn substitute(text: &str, values: &JsonObject) -> String {
    let mut out = text.to_owned();
    for (name, value) in values {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        out = out.replace(&format!("{{{{{name}}}}}"), &value).replace(&format!("{{{{ {name} }}}}"), &value);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_into_blocks_and_unknown_ones_stay() {
        let mut values = JsonObject::new();
        values.insert("user_name".into(), "Grace".into());
        values.insert("n".into(), 3.into());
        assert_eq!(substitute("{{user_name}} has {{ n }} of {{x}}", &values), "Grace has 3 of {{x}}");
    }

    #[test]
    fn the_current_architecture_has_no_default_rules_and_the_older_ones_end_with_send_message() {
        assert_eq!(base_rules(AgentType::LettaV1Agent, &["memory_insert"]), []);
        let rules = base_rules(AgentType::MemgptV2Agent, base_tools(AgentType::MemgptV2Agent));
        assert_eq!(rules[0], ToolRule::ExitLoop { tool_name: "send_message".into(), prompt_template: None });
        assert_eq!(rules.len(), 4);
    }
}
