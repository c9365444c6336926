//! Sleep-time agents: they look after another agent's memory while nobody waits for them.

use std::{fmt::Write as _, sync::Arc};

use futures::future::BoxFuture;
use mneme_domain::{
    Actor, AgentId, BlockId, GroupId, Order, Page, ToolId,
    agent::{Agent, AgentType},
    block::{Block, CreateBlock},
    group::{Group, ManagerType},
    message::{Message, MessageRole},
};
use mneme_macros::boxed;
use mneme_store::{Conn, agents, blocks, groups, messages, tools};
use serde_json::json;

use super::broadcast::message;
use crate::{
    Core, CoreError, Result, api, prompts,
    tools::{base_rules, base_tools},
};

/// Messages that sleep-time agents are told of at once.
const MOST_MESSAGES: u32 = 200;
/// Characters of one message, of those.
const MOST_CHARS: usize = 4_000;
/// New messages after which the sleep-time agents of an agent that is spoken with work, unless the group says otherwise.
const VOICE_BUFFER: i64 = 30;
/// The block in which a sleep-time agent knows what it is.
const OWN_BLOCK: &str = "memory_persona";

/// A sleep-time agent to be written with the agent that it works for.
pub struct Sleeper {
    agent: Agent,
    own: Block,
    shared: Vec<BlockId>,
    tools: Vec<ToolId>,
    first: Message,
    group: Group,
}

#[boxed]
impl Sleeper {
    /// Writes it, once the agent that it works for is written.
    pub async fn write(&self, tx: &mut Conn, actor: &Actor) -> mneme_store::Result<()> {
        let id = &self.agent.id;
        agents::insert(tx, actor, &self.agent).await?;
        messages::append(tx, actor, std::slice::from_ref(&self.first)).await?;
        blocks::insert(tx, actor, &self.own, self.agent.created_at).await?;
        let blocks: Vec<BlockId> = self.shared.iter().chain([&self.own.id]).cloned().collect();
        blocks::attach_first(tx, actor, id, &blocks).await?;
        tools::attach_first(tx, actor, id, &self.tools).await?;
        groups::insert(tx, actor, &self.group, self.agent.created_at).await
    }

    /// The group of both.
    pub fn group(&self) -> &Group {
        &self.group
    }
}

impl Core {
    /// A sleep-time agent for an agent with these blocks.
    pub(crate) async fn sleeper_for(
        &self,
        conn: &mut Conn,
        actor: &Actor,
        main: &Agent,
        shown: &[Block],
    ) -> Result<Sleeper> {
        let voice = main.agent_type == AgentType::VoiceConvoAgent;
        let agent_type = if voice { AgentType::VoiceSleeptimeAgent } else { AgentType::SleeptimeAgent };
        let own: CreateBlock = serde_json::from_value(json!({
            "label": OWN_BLOCK, "value": prompts::SLEEPTIME_PERSONA,
            "description": "What you are and how you work. It is yours alone.",
        }))
        .map_err(|error| CoreError::Internal(error.to_string()))?;
        let own = self.new_block(actor, own)?;
        let names = base_tools(agent_type);
        let tools = self.tools_for(conn, actor, &[], &[], names).await?;
        let id = AgentId::from_uuid(self.env.uuid());
        let mut agent = Agent {
            id: id.clone(),
            name: format!("{}-sleeptime", main.name),
            agent_type,
            system: prompts::default_system(agent_type).to_owned(),
            tool_rules: base_rules(agent_type, names),
            message_ids: Vec::new(),
            response_format: None,
            description: None,
            metadata: None,
            memory_variables: None,
            message_buffer_autoclear: false,
            enable_sleeptime: None,
            last_run_completion: None,
            last_run_duration_ms: None,
            hidden: None,
            version: 1,
            fence: 0,
            ..main.clone()
        };
        let all: Vec<Block> = shown.iter().chain([&own]).cloned().collect();
        let first = self.system_message(&agent, &all);
        agent.message_ids = vec![first.id.clone()];
        let manager_type = if voice { ManagerType::VoiceSleeptime } else { ManagerType::Sleeptime };
        let group = Group {
            id: GroupId::from_uuid(self.env.uuid()),
            manager_type,
            agent_ids: vec![id],
            description: String::new(),
            project_id: main.project_id.clone(),
            template_id: None,
            base_template_id: None,
            deployment_id: None,
            shared_block_ids: Vec::new(),
            manager_agent_id: Some(main.id.clone()),
            termination_token: None,
            max_turns: None,
            sleeptime_agent_frequency: (!voice).then_some(super::FREQUENCY),
            turns_counter: Some(-1),
            last_processed_message_id: None,
            max_message_buffer_length: voice.then_some(VOICE_BUFFER),
            min_message_buffer_length: voice.then_some(VOICE_BUFFER / 2),
            hidden: None,
        };
        Ok(Sleeper {
            agent,
            own,
            shared: shown.iter().map(|block| block.id.clone()).collect(),
            tools: tools.iter().map(|tool| tool.id.clone()).collect(),
            first,
            group,
        })
    }

    /// Gives an agent a sleep-time agent unless it has one.
    pub(crate) async fn ensure_sleeper(&self, tx: &mut Conn, actor: &Actor, main: &Agent) -> Result<()> {
        if !self.sleep_groups(tx, actor, &main.id).await?.is_empty() {
            return Ok(());
        }
        let stored = blocks::of_agent(tx, actor, &main.id).await?;
        let shown: Vec<Block> = stored.into_iter().map(|stored| stored.block).collect();
        let sleeper = self.sleeper_for(tx, actor, main, &shown).await?;
        Ok(sleeper.write(tx, actor).await?)
    }

    /// The groups whose agents work for an agent.
    async fn sleep_groups(&self, conn: &mut Conn, actor: &Actor, agent: &AgentId) -> Result<Vec<Group>> {
        let filter = groups::GroupFilter {
            agent_id: Some(agent.clone()),
            include_hidden: true,
            ..groups::GroupFilter::default()
        };
        let found = groups::list(conn, actor, &filter, &Page::all()).await?;
        let managed =
            |group: &Group| group.manager_type.is_sleeptime() && group.manager_agent_id.as_ref() == Some(agent);
        Ok(found.into_iter().filter(managed).collect())
    }

    /// Sleep-time agents that were made for this agent and work for no other: they go with it.
    pub(crate) async fn own_sleepers(&self, tx: &mut Conn, actor: &Actor, agent: &AgentId) -> Result<Vec<AgentId>> {
        let mut own = Vec::new();
        for group in self.sleep_groups(tx, actor, agent).await? {
            for id in group.agent_ids {
                let filter = groups::GroupFilter {
                    agent_id: Some(id.clone()),
                    include_hidden: true,
                    ..groups::GroupFilter::default()
                };
                let alone = groups::count(tx, actor, &filter).await? == 1;
                let found = agents::get(tx, actor, &id).await?;
                let made = found.is_some_and(|agent| {
                    matches!(agent.agent_type, AgentType::SleeptimeAgent | AgentType::VoiceSleeptimeAgent)
                });
                if alone && made {
                    own.push(id);
                }
            }
        }
        Ok(own)
    }

    /// Gives a block that an agent got to its sleep-time agents too, unless they have another one of that label.
    pub(crate) async fn share_block(
        &self,
        tx: &mut Conn,
        actor: &Actor,
        agent: &AgentId,
        id: &BlockId,
        label: &str,
    ) -> Result<()> {
        for sleeper in self.own_sleepers(tx, actor, agent).await? {
            let blocks_there = blocks::of_agent(tx, actor, &sleeper).await?;
            if !blocks_there.iter().any(|stored| stored.block.label.as_deref() == Some(label)) {
                blocks::attach(tx, actor, &sleeper, id).await?;
            }
        }
        Ok(())
    }

    /// Takes a block that an agent lost from its sleep-time agents as well.
    pub(crate) async fn unshare_block(
        &self,
        tx: &mut Conn,
        actor: &Actor,
        agent: &AgentId,
        id: &BlockId,
    ) -> Result<()> {
        for sleeper in self.own_sleepers(tx, actor, agent).await? {
            blocks::detach(tx, actor, &sleeper, id).await?;
        }
        Ok(())
    }

    /// Has an agent's sleep-time agents work, when it is their time, now that a turn of it is over.
    ///
    /// Boxed, because it begins turns, and it is a turn that calls it.
    pub(crate) fn wake_sleepers(self: &Arc<Self>, actor: Actor, agent: AgentId) -> BoxFuture<'static, ()> {
        let core = Arc::clone(self);
        Box::pin(async move {
            if let Err(error) = core.try_wake(&actor, &agent).await {
                tracing::warn!(%agent, %error, "the sleep-time agents could not be woken");
            }
        })
    }

    async fn try_wake(self: &Arc<Self>, actor: &Actor, agent: &AgentId) -> Result<()> {
        let found = {
            let mut conn = self.store.read().await?;
            self.sleep_groups(&mut conn, actor, agent).await?
        };
        for group in found {
            self.wake_group(actor, agent, &group).await?;
        }
        Ok(())
    }

    async fn wake_group(self: &Arc<Self>, actor: &Actor, agent: &AgentId, group: &Group) -> Result<()> {
        let mut tx = self.store.write().await?;
        if let Some(frequency) = group.sleeptime_agent_frequency {
            let count = groups::count_turn(&mut tx, actor, &group.id, frequency.max(1)).await?;
            if count != Some(0) {
                return Ok(tx.commit().await?);
            }
        }
        let news = self.news(&mut tx, actor, agent, group).await?;
        let most = group.max_message_buffer_length.unwrap_or(VOICE_BUFFER);
        let too_few =
            group.manager_type == ManagerType::VoiceSleeptime && i64::try_from(news.len()).unwrap_or(i64::MAX) < most;
        let Some(last) = news.last().filter(|_| !too_few) else { return Ok(tx.commit().await?) };
        groups::set_processed(&mut tx, actor, &group.id, &last.id).await?;
        tx.commit().await?;
        let text = transcript(&news);
        for sleeper in &group.agent_ids {
            let request = message(json!([{"role": "user", "content": text, "sender_id": agent}]))?;
            let begun = api::asleep(self.send_async(actor, sleeper, request)).await;
            if let Err(error) = begun {
                tracing::warn!(%sleeper, %error, "a sleep-time agent could not be woken");
            }
        }
        Ok(())
    }

    /// What was said since the sleep-time agents were last told, oldest first.
    async fn news(&self, tx: &mut Conn, actor: &Actor, agent: &AgentId, group: &Group) -> Result<Vec<Message>> {
        let after = group.last_processed_message_id.as_ref().map(ToString::to_string);
        // Of more than they can be told, the newest count.
        let page = Page { before: None, after, limit: MOST_MESSAGES, order: Order::Desc };
        let mut news = messages::list(tx, actor, agent, &messages::MessageFilter::default(), &page).await?;
        news.reverse();
        Ok(news)
    }
}

/// A conversation as sleep-time agents read it.
fn transcript(messages: &[Message]) -> String {
    let mut text = String::from(prompts::SLEEPTIME_TASK);
    let cut = |text: &str| -> String {
        let mut short: String = text.chars().take(MOST_CHARS).collect();
        if short.len() < text.len() {
            short.push('…');
        }
        short
    };
    for message in messages {
        let role = match message.role {
            MessageRole::User => "user",
            MessageRole::Assistant => "assistant",
            MessageRole::Tool | MessageRole::Function => "tool",
            MessageRole::System | MessageRole::Approval => continue,
        };
        let words = message.text();
        // Writing into a String cannot fail.
        if !words.trim().is_empty() {
            let _ = writeln!(text, "{role}: {}", cut(&words));
        }
        for call in message.tool_calls.iter().flatten() {
            let _ = writeln!(text, "{role} calls {}: {}", call.function.name, cut(&call.function.arguments));
        }
        for answer in message.tool_returns.iter().filter_map(|answer| answer.func_response.as_deref()) {
            let _ = writeln!(text, "tool returns: {}", cut(answer));
        }
    }
    text
}
