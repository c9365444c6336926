//! Groups: agents that talk with each other.

mod broadcast;
mod sleep;
mod talk;

use std::sync::Arc;

use mneme_macros::boxed;

pub use broadcast::{Broadcast, Reply as BroadcastReply};
use mneme_domain::{
    Actor, AgentId, BlockId, EntityId, GroupId, MessageId, Page,
    envelope::Envelope,
    group::{CreateGroup, Group, GroupUpdate, ManagerConfig, ManagerType},
    request::MessageEdit,
    run::RequestConfig,
    tool_rule::ToolRule,
};
use mneme_store::{
    Conn, agents, blocks,
    groups::{self, GroupFilter},
    messages, tools,
};
pub use sleep::Sleeper;
pub use talk::GroupTurn;

use crate::{Core, CoreError, Result, envelope};

/// Agents that a group has at most.
const MOST_AGENTS: usize = 100;
/// Turns that one message to a group leads to at most.
const MOST_TURNS: i64 = 100;
/// What ends the conversation of a dynamic group unless it says otherwise.
const TERMINATION_TOKEN: &str = "DONE!";
/// Every how many turns sleep-time agents work unless the group says otherwise.
const FREQUENCY: i64 = 5;
/// The tool that the manager of a supervisor group asks the others with.
const ASK_ALL: &str = "send_message_to_all_agents_in_group";
/// The tool that the manager of a dynamic group says with who speaks next.
const CHOOSE: &str = "choose_next_participant";

#[boxed]
impl Core {
    /// Makes a group.
    ///
    /// # Errors
    /// 404 for unknown agents and blocks, 422 for a configuration that makes no sense.
    pub async fn create_group(self: &Arc<Self>, actor: &Actor, body: CreateGroup) -> Result<Group> {
        let config = body.manager_config.unwrap_or_default();
        let group = Group {
            id: GroupId::from_uuid(self.env.uuid()),
            manager_type: config.manager_type.unwrap_or(ManagerType::RoundRobin),
            agent_ids: body.agent_ids,
            description: body.description,
            project_id: body.project_id,
            template_id: None,
            base_template_id: None,
            deployment_id: None,
            shared_block_ids: body.shared_block_ids.unwrap_or_default(),
            manager_agent_id: None,
            termination_token: None,
            max_turns: None,
            sleeptime_agent_frequency: None,
            turns_counter: None,
            last_processed_message_id: None,
            max_message_buffer_length: None,
            min_message_buffer_length: None,
            hidden: body.hidden,
        };
        let group = configured(group, config)?;
        let mut tx = self.store.write().await?;
        self.insert_group(&mut tx, actor, &group).await?;
        tx.commit().await?;
        self.forget_contexts(&group);
        Ok(group)
    }

    /// Writes a new group and gives its manager what it needs.
    pub(crate) async fn insert_group(&self, tx: &mut Conn, actor: &Actor, group: &Group) -> Result<()> {
        check_members(tx, actor, group).await?;
        groups::insert(tx, actor, group, self.env.now()).await?;
        self.equip(tx, actor, group).await
    }

    /// One group.
    ///
    /// # Errors
    /// 404 for an unknown group.
    pub async fn get_group(self: &Arc<Self>, actor: &Actor, id: &GroupId) -> Result<Group> {
        let mut conn = self.store.read().await?;
        stored(&mut conn, actor, id).await
    }

    /// Groups of the organisation.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_groups(self: &Arc<Self>, actor: &Actor, filter: GroupFilter, page: &Page) -> Result<Vec<Group>> {
        let mut conn = self.store.read().await?;
        Ok(groups::list(&mut conn, actor, &filter, page).await?)
    }

    /// How many groups the organisation has.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn count_groups(self: &Arc<Self>, actor: &Actor) -> Result<i64> {
        let mut conn = self.store.read().await?;
        Ok(groups::count(&mut conn, actor, &GroupFilter::default()).await?)
    }

    /// The groups that an agent speaks in or manages.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn agent_groups(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        manager_type: Option<ManagerType>,
        page: &Page,
    ) -> Result<Vec<Group>> {
        self.require_agent(actor, agent).await?;
        let filter =
            GroupFilter { manager_type, agent_id: Some(agent.clone()), include_hidden: true, ..GroupFilter::default() };
        self.list_groups(actor, filter, page).await
    }

    /// Changes a group.
    ///
    /// # Errors
    /// 404 for an unknown group, and as of [`Core::create_group`].
    pub async fn update_group(self: &Arc<Self>, actor: &Actor, id: &GroupId, body: GroupUpdate) -> Result<Group> {
        let mut tx = self.store.write().await?;
        let mut group = stored(&mut tx, actor, id).await?;
        group.agent_ids = body.agent_ids.unwrap_or(group.agent_ids);
        group.description = body.description.unwrap_or(group.description);
        group.project_id = body.project_id.or(group.project_id);
        group.shared_block_ids = body.shared_block_ids.unwrap_or(group.shared_block_ids);
        let before = group.clone();
        let group = configured(group, body.manager_config.unwrap_or_default())?;
        check_members(&mut tx, actor, &group).await?;
        groups::update(&mut tx, actor, &group, self.env.now()).await?;
        self.equip(&mut tx, actor, &group).await?;
        tx.commit().await?;
        self.forget_contexts(&before);
        self.forget_contexts(&group);
        Ok(group)
    }

    /// Deletes a group; its agents and blocks stay.
    ///
    /// # Errors
    /// 404 for an unknown group.
    pub async fn delete_group(self: &Arc<Self>, actor: &Actor, id: &GroupId) -> Result<()> {
        let mut tx = self.store.write().await?;
        if !groups::delete(&mut tx, actor, id).await? {
            return Err(CoreError::missing("Group", id));
        }
        Ok(tx.commit().await?)
    }

    /// Has the agents of a group share a block, or share it no longer. Both may be repeated. An agent that has another
    /// block of that label keeps it.
    ///
    /// # Errors
    /// 404 for an unknown group or block.
    pub async fn set_group_block(
        self: &Arc<Self>,
        actor: &Actor,
        id: &GroupId,
        block: &BlockId,
        wanted: bool,
    ) -> Result<Group> {
        let mut tx = self.store.write().await?;
        let mut group = stored(&mut tx, actor, id).await?;
        let found = blocks::get(&mut tx, actor, block).await?.ok_or_else(|| CoreError::missing("Block", block))?.block;
        group.shared_block_ids.retain(|id| id != block);
        if wanted {
            group.shared_block_ids.push(block.clone());
        }
        groups::update(&mut tx, actor, &group, self.env.now()).await?;
        for agent in members(&group) {
            let has = blocks::of_agent(&mut tx, actor, agent).await?;
            if !wanted {
                blocks::detach(&mut tx, actor, agent, block).await?;
            } else if !has.iter().any(|stored| stored.block.label == found.label) {
                blocks::attach(&mut tx, actor, agent, block).await?;
            }
        }
        tx.commit().await?;
        Ok(group)
    }

    /// What was said in a group.
    ///
    /// # Errors
    /// 404 for an unknown group.
    pub async fn list_group_messages(
        self: &Arc<Self>,
        actor: &Actor,
        id: &GroupId,
        page: &Page,
        config: &RequestConfig,
    ) -> Result<Vec<Envelope>> {
        let mut conn = self.store.read().await?;
        stored(&mut conn, actor, id).await?;
        let found = groups::listed(&mut conn, actor, id, page).await?;
        Ok(envelope::envelopes_of(&found, config))
    }

    /// Edits a message of a group; its agent sees the edit from then on.
    ///
    /// # Errors
    /// 404 for an unknown group or message, and as of [`Core::update_message`].
    pub async fn update_group_message(
        self: &Arc<Self>,
        actor: &Actor,
        id: &GroupId,
        message: &MessageId,
        update: MessageEdit,
    ) -> Result<Envelope> {
        let agent = {
            let mut conn = self.store.read().await?;
            stored(&mut conn, actor, id).await?;
            let found = messages::get(&mut conn, actor, message).await?;
            let found = found.filter(|found| found.group_id.as_deref() == Some(id.as_str()));
            found.ok_or_else(|| CoreError::missing("Message", message))?.agent_id
        };
        self.update_message(actor, &agent, message, update).await
    }

    /// Has a group and its agents forget what was said in it.
    ///
    /// # Errors
    /// 404 for an unknown group.
    pub async fn reset_group(self: &Arc<Self>, actor: &Actor, id: &GroupId) -> Result<()> {
        let mut tx = self.store.write().await?;
        let group = stored(&mut tx, actor, id).await?;
        let gone: std::collections::HashSet<MessageId> =
            groups::forget(&mut tx, actor, id).await?.into_iter().collect();
        for agent in members(&group) {
            let Some(found) = agents::get(&mut tx, actor, agent).await? else { continue };
            let kept: Vec<MessageId> = found.message_ids.iter().filter(|id| !gone.contains(*id)).cloned().collect();
            agents::touch_context(&mut tx, actor, agent, &kept, found.version, None, None, self.env.now()).await?;
        }
        tx.commit().await?;
        self.forget_contexts(&group);
        Ok(())
    }

    /// Gives the manager of a group the tool and the flag that its kind needs.
    async fn equip(&self, tx: &mut Conn, actor: &Actor, group: &Group) -> Result<()> {
        let Some(manager) = &group.manager_agent_id else { return Ok(()) };
        let tool = match group.manager_type {
            ManagerType::Supervisor => ASK_ALL,
            ManagerType::Dynamic => CHOOSE,
            ManagerType::Sleeptime | ManagerType::VoiceSleeptime => {
                let mut agent =
                    agents::get(tx, actor, manager).await?.ok_or_else(|| CoreError::missing("Agent", manager))?;
                if agent.enable_sleeptime != Some(true) {
                    agent.enable_sleeptime = Some(true);
                    agents::update(tx, actor, &agent).await?;
                }
                return Ok(());
            }
            ManagerType::RoundRobin | ManagerType::Swarm => return Ok(()),
        };
        let found = tools::by_name(tx, actor, tool).await?;
        let found = found.ok_or_else(|| CoreError::NotFound(format!("Tool with name {tool} not found")))?;
        tools::attach(tx, actor, manager, &found.id).await?;
        if group.manager_type == ManagerType::Dynamic {
            let rule = ToolRule::ExitLoop { tool_name: tool.to_owned(), prompt_template: None };
            self.add_rule(tx, actor, manager, rule).await?;
        }
        Ok(())
    }

    fn forget_contexts(&self, group: &Group) {
        for agent in members(group) {
            self.contexts.forget(agent);
        }
    }
}

/// The agents of a group and its manager.
pub(crate) fn members(group: &Group) -> impl Iterator<Item = &AgentId> {
    let outside = group.manager_agent_id.iter().filter(|manager| !group.agent_ids.contains(manager));
    group.agent_ids.iter().chain(outside)
}

async fn stored(conn: &mut Conn, actor: &Actor, id: &GroupId) -> Result<Group> {
    groups::get(conn, actor, id).await?.ok_or_else(|| CoreError::missing("Group", id))
}

/// Applies a configuration.
pub(crate) fn configured(mut group: Group, config: ManagerConfig) -> Result<Group> {
    let field = |name: &str, msg: String| CoreError::Unprocessable {
        loc: vec!["body".into(), "manager_config".into(), name.into()],
        kind: "value_error".into(),
        msg,
    };
    group.manager_type = config.manager_type.unwrap_or(group.manager_type);
    group.manager_agent_id = config.manager_agent_id.or(group.manager_agent_id);
    group.max_turns = config.max_turns.or(group.max_turns);
    group.termination_token = config.termination_token.or(group.termination_token);
    group.max_message_buffer_length = config.max_message_buffer_length.or(group.max_message_buffer_length);
    group.min_message_buffer_length = config.min_message_buffer_length.or(group.min_message_buffer_length);
    if group.manager_type.has_manager() && group.manager_agent_id.is_none() {
        return Err(CoreError::Unprocessable {
            loc: vec!["body".into(), "manager_config".into(), "manager_agent_id".into()],
            kind: "missing".into(),
            msg: "Field required".into(),
        });
    }
    if group.max_turns.is_some_and(|turns| !(1..=MOST_TURNS).contains(&turns)) {
        return Err(field("max_turns", format!("must be between 1 and {MOST_TURNS}")));
    }
    if group.manager_type == ManagerType::Dynamic && group.termination_token.is_none() {
        group.termination_token = Some(TERMINATION_TOKEN.into());
    }
    if group.manager_type == ManagerType::Sleeptime {
        let before = group.sleeptime_agent_frequency;
        let frequency = config.sleeptime_agent_frequency.or(before).unwrap_or(FREQUENCY);
        if !(1..=1_000_000).contains(&frequency) {
            return Err(field("sleeptime_agent_frequency", "must be at least 1".into()));
        }
        // Counting begins anew when it is counted to another number.
        if before != Some(frequency) || group.turns_counter.is_none() {
            group.turns_counter = Some(-1);
        }
        group.sleeptime_agent_frequency = Some(frequency);
    }
    Ok(group)
}

async fn check_members(tx: &mut Conn, actor: &Actor, group: &Group) -> Result<()> {
    if group.agent_ids.len() > MOST_AGENTS {
        return Err(CoreError::field("agent_ids", format!("a group has at most {MOST_AGENTS} agents")));
    }
    for id in members(group) {
        let agent = agents::get(tx, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?;
        let managed = group.manager_agent_id.as_ref() == Some(id);
        if group.manager_type.is_sleeptime() && !managed && agent.enable_sleeptime == Some(true) {
            let reason = format!("{id} has sleep-time agents of its own, so it cannot be one");
            return Err(CoreError::field("agent_ids", reason));
        }
        if group.manager_type.is_sleeptime() && managed && group.agent_ids.contains(id) {
            return Err(CoreError::field("agent_ids", "an agent cannot be its own sleep-time agent"));
        }
    }
    let found = blocks::get_many(tx, actor, &group.shared_block_ids).await?;
    match group.shared_block_ids.iter().find(|id| !found.iter().any(|stored| stored.block.id == **id)) {
        Some(id) => Err(CoreError::missing("Block", id)),
        None => Ok(()),
    }
}
