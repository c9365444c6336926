//! Makes agents of a file.

use std::{
    collections::HashMap,
    fs::File,
    io::{Seek, SeekFrom},
    ops::ControlFlow,
    sync::Arc,
};

use chrono::TimeDelta;
use mneme_boxed::boxed;
use mneme_domain::{
    Actor, AgentId, BlockId, GroupId, JsonObject, MessageId, Timestamp, ToolId,
    group::{Group, ManagerType},
    message::{Message, MessageRole},
    tool::ToolType,
};
use mneme_store::{Conn, StoreError, agents, blocks, identities, messages, tools};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    ImportOptions, legacy, message,
    outline::{self, Outline},
    plan::{Plan, Planned, PlannedGroup, known_identities, settle_tool, wrong},
    servers::Servers,
    view::InView,
};
use crate::{Core, CoreError, Result, files::Arrivals, groups::configured};

/// Messages that are written together.
const BATCH: usize = 200;
/// Batches that wait to be written.
const WAITING: usize = 2;

#[boxed]
impl Core {
    /// Makes the agents of a file, all of them or none. Their new identifiers come back in the order of the file.
    ///
    /// # Errors
    /// 400 for a file that is no agent file, or with something wrong in it: the text says which entity and why.
    pub async fn import_agents(
        self: &Arc<Self>,
        actor: &Actor,
        file: File,
        options: ImportOptions,
    ) -> Result<Vec<AgentId>> {
        let (outline, file) = blocking(move || {
            let outline = read_outline(&file);
            (outline, file)
        })
        .await?;
        let plan = self.plan_import(actor, outline?, &options).await?;
        let mut tx = self.store.write().await?;
        let mut writer = Writer::begin(self, &mut tx, actor, plan, &options).await?;
        if !options.strip_messages {
            let (batches, mut waiting) = mpsc::channel(WAITING);
            let reading = tokio::task::spawn_blocking(move || hand_out(file, &batches));
            while let Some(batch) = waiting.recv().await {
                writer.messages(&mut tx, batch).await?;
            }
            let read = reading.await.map_err(|error| CoreError::Internal(error.to_string()))?;
            read.map_err(CoreError::Invalid)?;
        }
        let (ids, arrivals) = writer.end(&mut tx).await?;
        tx.commit().await?;
        arrivals.begin(actor);
        tracing::info!(agents = ids.len(), "an agent file was imported");
        Ok(ids)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| CoreError::Internal(error.to_string()))
}

fn read_outline(mut file: &File) -> Result<Outline> {
    file.seek(SeekFrom::Start(0)).map_err(|error| CoreError::Internal(error.to_string()))?;
    let outline = outline::read(file).map_err(CoreError::Invalid)?;
    if outline.agents.is_some() {
        return Ok(outline);
    }
    if !legacy::is_legacy(&outline.rest) {
        return Err(CoreError::Invalid(
            "This is no agent file: it has neither the field 'agents' of the current format nor 'core_memory' of the \
             older one"
                .into(),
        ));
    }
    legacy::modern(outline).map_err(|fault| wrong("the file", fault))
}

/// A message with the place of its agent.
type Given = (usize, Value);

/// Reads the file's messages and hands them over in batches, as fast as they are taken.
fn hand_out(mut file: File, batches: &mpsc::Sender<Vec<Given>>) -> std::result::Result<(), String> {
    file.seek(SeekFrom::Start(0)).map_err(|error| error.to_string())?;
    let mut batch = Vec::new();
    outline::messages(&file, |agent, message| {
        batch.push((agent, message));
        if batch.len() < BATCH {
            return ControlFlow::Continue(());
        }
        match batches.blocking_send(std::mem::take(&mut batch)) {
            Ok(()) => ControlFlow::Continue(()),
            // The writer failed and says why itself.
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    if !batch.is_empty() {
        let _ = batches.blocking_send(batch);
    }
    Ok(())
}

/// Writes a plan.
struct Writer<'a> {
    core: &'a Arc<Core>,
    actor: &'a Actor,
    agents: Vec<Under>,
    known: Known,
    groups: Vec<PlannedGroup>,
    block_ids: HashMap<String, BlockId>,
    arrivals: Arrivals<'a>,
}

/// New identifiers of the file's agents and groups, by their names in it.
struct Known {
    agents: HashMap<String, AgentId>,
    groups: HashMap<String, GroupId>,
}

/// An agent that is being written.
struct Under {
    planned: Planned,
    view: InView,
    count: usize,
    last: Timestamp,
    /// Requests for approval, by their names in the file.
    requests: HashMap<String, MessageId>,
}

impl<'a> Writer<'a> {
    /// Writes everything but the messages.
    async fn begin(
        core: &'a Arc<Core>,
        tx: &mut Conn,
        actor: &'a Actor,
        plan: Plan,
        options: &ImportOptions,
    ) -> Result<Self> {
        let now = core.env.now();
        blocks::insert_many(tx, actor, &plan.blocks, now).await?;
        let servers = Servers::write(core, tx, actor, plan.servers).await?;
        let mut tool_ids: HashMap<String, ToolId> = HashMap::new();
        for (tool, names) in &plan.tools {
            let settled = match tool.tool_type {
                ToolType::ExternalMcp => servers.settle_tool(tx, actor, tool, now).await,
                _ => settle_tool(tx, actor, tool, options.override_tools, now).await,
            };
            let settled = settled.map_err(|error| wrong_tool(tool.call_name(), error))?;
            tool_ids.extend(names.iter().map(|name| (name.clone(), settled.id.clone())));
        }
        let mut shelf = plan.shelf;
        let arrivals = shelf.write(core, tx, actor).await?;
        let (groups, block_ids) = (plan.groups, plan.block_ids);
        let named = |group: &PlannedGroup| Some((group.file_id.clone()?, group.id.clone()));
        let known = Known { agents: HashMap::new(), groups: groups.iter().filter_map(named).collect() };
        let mut writer = Self { core, actor, agents: Vec::new(), known, groups, block_ids, arrivals };
        for planned in plan.agents {
            let id = planned.agent.id.clone();
            if let Some(name) = &planned.file_id {
                writer.known.agents.insert(name.clone(), id.clone());
            }
            agents::insert(tx, actor, &planned.agent).await?;
            let block_ids: Vec<BlockId> = planned.blocks.iter().map(|block| block.id.clone()).collect();
            blocks::attach_first(tx, actor, &id, &block_ids).await?;
            let mut own: Vec<ToolId> = planned.tools.iter().filter_map(|name| tool_ids.get(name).cloned()).collect();
            let named = core.tools_for(tx, actor, &[], &planned.named_tools, &[]).await;
            let named = named.map_err(|error| relabel(&planned.place, error))?;
            own.extend(named.iter().map(|tool| tool.id.clone()));
            tools::attach_first(tx, actor, &id, &own).await.map_err(|error| match error {
                StoreError::Conflict(_) => wrong(&planned.place, "two of its tools have the same name"),
                other => other.into(),
            })?;
            shelf.attach(core, tx, actor, &planned.agent, &planned.attached).await?;
            if !planned.tags.is_empty() {
                agents::set_tags(tx, actor, &id, &planned.tags).await?;
            }
            if !planned.variables.is_empty() {
                agents::set_variables(tx, actor, &id, &planned.variables).await?;
            }
            let known = known_identities(tx, actor, &planned.identities).await?;
            if !known.is_empty() {
                identities::set_of_agent(tx, actor, &id, &known).await?;
            }
            if !planned.opens_with_system {
                messages::append(tx, actor, std::slice::from_ref(&planned.system)).await?;
            }
            let view = InView::new(planned.view.clone());
            writer.agents.push(Under { view, count: 0, last: now, requests: HashMap::new(), planned });
        }
        Ok(writer)
    }

    /// Writes messages in the order of the file.
    async fn messages(&mut self, tx: &mut Conn, batch: Vec<Given>) -> Result<()> {
        let mut made: Vec<Message> = Vec::with_capacity(batch.len());
        for (index, given) in batch {
            let Some(under) = self.agents.get_mut(index) else { continue };
            let place = format!("{}, messages[{}]", under.planned.place, under.count);
            let Value::Object(fields) = given else { return Err(wrong(&place, "it is no JSON object")) };
            made.push(under.message(self.core, &self.known, &fields).map_err(|fault| wrong(&place, fault))?);
        }
        messages::append(tx, self.actor, &made).await?;
        Ok(())
    }

    /// Says of each agent what it has in view. What is to be done after the commit comes back with the agents.
    async fn end(self, tx: &mut Conn) -> Result<(Vec<AgentId>, Arrivals<'a>)> {
        let mut ids = Vec::new();
        let Self { core, actor, agents, known, groups, block_ids, arrivals } = self;
        for Under { planned, view, .. } in agents {
            let mut agent = planned.agent;
            if !planned.opens_with_system {
                agent.message_ids.push(planned.system.id);
            }
            agent.message_ids.extend(view.ids());
            agents::update(tx, actor, &agent).await?;
            ids.push(agent.id);
        }
        for planned in groups {
            let place = planned.place.clone();
            let group = group_of(planned, &known.agents, &block_ids).map_err(|error| relabel(&place, error))?;
            core.insert_group(tx, actor, &group).await.map_err(|error| relabel(&place, error))?;
        }
        Ok((ids, arrivals))
    }
}

impl Under {
    fn message(&mut self, core: &Core, known: &Known, fields: &JsonObject) -> std::result::Result<Message, String> {
        let name = fields.get("id").and_then(Value::as_str);
        let id = MessageId::from_uuid(core.env.uuid());
        let place = message::Place {
            id: id.clone(),
            agent: &self.planned.agent.id,
            // The last moment that there is has none after it.
            at: self.last.checked_add_signed(TimeDelta::microseconds(1)).unwrap_or(self.last),
            spare: core.env.uuid(),
        };
        let mut message = message::read(fields, place)?;
        self.last = message.created_at;
        let group = |name: &str| known.groups.get(name).map(GroupId::to_string);
        message.sender_id = message.sender_id.map(|sender| {
            let agent = known.agents.get(&sender).map(AgentId::to_string);
            agent.or_else(|| group(&sender)).unwrap_or(sender)
        });
        message.group_id = fields.get("group_id").and_then(Value::as_str).and_then(group);
        if message.role == MessageRole::Approval {
            let request = fields.get("approval_request_id").and_then(Value::as_str);
            message.approval_request_id =
                request.and_then(|request| self.requests.get(request)).map(MessageId::to_string);
            if let Some(name) = name {
                self.requests.insert(name.to_owned(), id.clone());
            }
        }
        if self.planned.opens_with_system && self.view.is_first(self.count, name) {
            message.content.clone_from(&self.planned.system.content);
        }
        self.view.note(self.count, name, &id);
        self.count += 1;
        Ok(message)
    }
}

/// A group of the file with what became of its agents and blocks.
fn group_of(
    planned: PlannedGroup,
    agents: &HashMap<String, AgentId>,
    blocks: &HashMap<String, BlockId>,
) -> Result<Group> {
    let agent = |name: &String| {
        let missing = || CoreError::Invalid(format!("the agent '{name}' is not in the file"));
        agents.get(name).cloned().ok_or_else(missing)
    };
    let block = |name: &String| {
        let missing = || CoreError::Invalid(format!("the block '{name}' is not in the file"));
        blocks.get(name).cloned().ok_or_else(missing)
    };
    let group = Group {
        id: planned.id,
        manager_type: planned.config.manager_type.unwrap_or(ManagerType::RoundRobin),
        agent_ids: planned.agents.iter().map(agent).collect::<Result<_>>()?,
        description: planned.description,
        project_id: None,
        template_id: None,
        base_template_id: None,
        deployment_id: None,
        shared_block_ids: planned.blocks.iter().map(block).collect::<Result<_>>()?,
        manager_agent_id: planned.manager.as_ref().map(agent).transpose()?,
        termination_token: None,
        max_turns: None,
        sleeptime_agent_frequency: None,
        turns_counter: None,
        last_processed_message_id: None,
        max_message_buffer_length: None,
        min_message_buffer_length: None,
        hidden: planned.hidden,
    };
    configured(group, planned.config)
}

fn wrong_tool(name: &str, error: CoreError) -> CoreError {
    relabel(&format!("the tool '{name}'"), error)
}

/// Says whose fault it was, when it was the file's.
pub fn relabel(place: &str, error: CoreError) -> CoreError {
    match error {
        CoreError::Internal(_) | CoreError::Unavailable(_) => error,
        other => wrong(place, other),
    }
}
