//! Makes agents of a file.

use std::{
    collections::HashMap,
    fs::File,
    io::{Seek, SeekFrom},
    sync::Arc,
};

use mneme_domain::{
    Actor, AgentId, BlockId, MessageId, ToolId,
    agent::Agent,
    group::{Group, ManagerType},
    tool::ToolType,
};
use mneme_macros::boxed;
use mneme_store::{Conn, StoreError, agents, blocks, identities, messages, tools};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    ImportOptions,
    coming::{Coming, WAITING, ready},
    legacy,
    outline::{self, Outline},
    plan::{Plan, PlannedGroup, known_identities, settle_tool, wrong},
    servers::Servers,
};
use crate::{Core, CoreError, Result, files::Arrivals, groups::configured};

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
        let coming = Coming::of(&self.env, &plan);
        let strip = options.strip_messages;
        let (batches, mut waiting) = mpsc::channel(WAITING);
        let mut reading = tokio::task::spawn_blocking(move || match strip {
            true => Ok(coming),
            false => coming.read(file, &batches),
        });
        // SQLite has one writer: what can be done before it is taken costs nobody else any time.
        let (ready, all) = ready(&mut waiting).await;
        let read = if all { Some(joined(&mut reading).await?) } else { None };
        let mut tx = self.store.write().await?;
        let writer = Writer::begin(self, &mut tx, actor, plan, &options).await?;
        for batch in ready {
            messages::append(&mut tx, actor, &batch.messages).await?;
        }
        while let Some(batch) = waiting.recv().await {
            messages::append(&mut tx, actor, &batch.messages).await?;
        }
        let coming = match read {
            Some(coming) => coming,
            None => joined(&mut reading).await?,
        };
        let (ids, arrivals) = writer.end(&mut tx, coming).await?;
        tx.commit().await?;
        arrivals.begin(actor);
        tracing::info!(agents = ids.len(), "an agent file was imported");
        Ok(ids)
    }
}

async fn joined(reading: &mut JoinHandle<Result<Coming>>) -> Result<Coming> {
    reading.await.map_err(|error| CoreError::Internal(error.to_string()))?
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

/// Writes a plan.
struct Writer<'a> {
    core: &'a Arc<Core>,
    actor: &'a Actor,
    agents: Vec<Written>,
    groups: Vec<PlannedGroup>,
    block_ids: HashMap<String, BlockId>,
    arrivals: Arrivals<'a>,
}

/// An agent that is written, but for what it has in view.
struct Written {
    agent: Agent,
    /// Its instructions, when they are no message of the file.
    system: Option<MessageId>,
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
        let mut writer = Self { core, actor, agents: Vec::new(), groups, block_ids, arrivals };
        for planned in plan.agents {
            let id = planned.agent.id.clone();
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
            let mut system = None;
            if !planned.opens_with_system {
                messages::append(tx, actor, std::slice::from_ref(&planned.system)).await?;
                system = Some(planned.system.id);
            }
            writer.agents.push(Written { agent: planned.agent, system });
        }
        Ok(writer)
    }

    /// Says of each agent what it has in view. What is to be done after the commit comes back with the agents.
    async fn end(self, tx: &mut Conn, coming: Coming) -> Result<(Vec<AgentId>, Arrivals<'a>)> {
        let mut ids = Vec::new();
        let Self { core, actor, agents, groups, block_ids, arrivals } = self;
        for (Written { mut agent, system }, under) in agents.into_iter().zip(coming.agents) {
            agent.message_ids.extend(system);
            agent.message_ids.extend(under.view.ids());
            agents::update(tx, actor, &agent).await?;
            ids.push(agent.id);
        }
        for planned in groups {
            let place = planned.place.clone();
            let group = group_of(planned, &coming.known.agents, &block_ids).map_err(|error| relabel(&place, error))?;
            core.insert_group(tx, actor, &group).await.map_err(|error| relabel(&place, error))?;
        }
        Ok((ids, arrivals))
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
