//! A message to a group: who hears it, who speaks, and when it is over.

use std::{collections::HashMap, sync::Arc};

use futures::StreamExt;
use mneme_domain::{
    Actor, AgentId, EntityId, GroupId, Page, RunId,
    envelope::Envelope,
    group::{Group, ManagerType},
    message::Message,
    request::{MessageCreate, SendRequest},
    run::StopReason,
    step::TurnUsage,
};
use mneme_macros::boxed;
use mneme_store::{agents, groups, messages};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{CHOOSE, MOST_TURNS, TERMINATION_TOKEN, stored};
use crate::{
    Core, CoreError, Result, api, envelope,
    supervise::guarded,
    turn::{TurnEvent, input},
};

/// How many events wait for a slow reader before the group waits with them.
const EVENT_BUFFER: usize = 256;

/// What an agent hears that is chosen right after it spoke: there is nothing else to tell it.
const AGAIN: &str = "You were chosen to speak again, and nobody has said anything since. Go on.";

/// What came of a message to a group.
#[derive(Debug)]
pub struct GroupTurn {
    /// What its agents said and did, in order.
    pub messages: Vec<Envelope>,
    /// Why the last of them stopped.
    pub stop_reason: StopReason,
    /// What all of them used.
    pub usage: TurnUsage,
}

/// Something that was said in the group while it answers one message.
struct Said {
    /// Who said it; nobody of the group said the message itself.
    by: Option<AgentId>,
    /// As the others hear it.
    text: String,
}

/// What one agent's turn came to.
struct Spoken {
    run: RunId,
    stop: StopReason,
    messages: Vec<Message>,
}

/// A group that answers one message.
struct Talk {
    core: Arc<Core>,
    actor: Actor,
    group: Group,
    request: SendRequest,
    /// The message itself.
    input: Vec<MessageCreate>,
    said: Vec<Said>,
    /// How much of `said` an agent has heard.
    heard: HashMap<AgentId, usize>,
    names: HashMap<AgentId, String>,
    events: Option<mpsc::Sender<TurnEvent>>,
    shown: Vec<Envelope>,
    usage: TurnUsage,
    stop: StopReason,
}

#[boxed]
impl Core {
    /// Sends messages to a group and waits until it has answered.
    ///
    /// # Errors
    /// 404 for an unknown group, 400 for empty input or a group that has nobody to answer, and the failure of an agent.
    pub async fn send_to_group(
        self: &Arc<Self>,
        actor: &Actor,
        id: &GroupId,
        request: SendRequest,
    ) -> Result<GroupTurn> {
        let talk = self.talk(actor, id, request, None).await?;
        // In a task of its own, so that a client that goes away does not cut a turn in two.
        let work = api::carry(talk.answer());
        let answered = self.tasks.spawn(work).await;
        let talk = answered.map_err(|error| CoreError::Internal(error.to_string()))??;
        Ok(GroupTurn { messages: talk.shown, stop_reason: talk.stop, usage: talk.usage })
    }

    /// Sends messages to a group and streams what its agents do.
    ///
    /// # Errors
    /// As [`Core::send_to_group`], for what is known before the first agent speaks; later failures are events.
    pub async fn stream_to_group(
        self: &Arc<Self>,
        actor: &Actor,
        id: &GroupId,
        request: SendRequest,
    ) -> Result<impl futures::Stream<Item = TurnEvent> + Send + use<>> {
        let (sender, mut events) = mpsc::channel(EVENT_BUFFER);
        let talk = self.talk(actor, id, request, Some(sender.clone())).await?;
        let work = api::carry(talk.answer());
        self.tasks.spawn(async move {
            let last = match guarded("a group's turn", work).await.flatten() {
                Ok(talk) => vec![TurnEvent::Stop(talk.stop), TurnEvent::Usage(talk.usage)],
                Err(error) => vec![TurnEvent::Error(error)],
            };
            for event in last {
                if sender.send(event).await.is_err() {
                    break;
                }
            }
        });
        Ok(async_stream::stream! {
            while let Some(event) = events.recv().await {
                yield event;
            }
        })
    }

    async fn talk(
        self: &Arc<Self>,
        actor: &Actor,
        id: &GroupId,
        request: SendRequest,
        events: Option<mpsc::Sender<TurnEvent>>,
    ) -> Result<Talk> {
        let input = input::parse(request.clone())?;
        if input.approval.is_some() {
            return Err(CoreError::Invalid("An approval goes to the agent that asked for it, not to its group".into()));
        }
        let mut conn = self.store.read().await?;
        let group = stored(&mut conn, actor, id).await?;
        if group.manager_type == ManagerType::Swarm {
            return Err(CoreError::Invalid("Nothing can be sent to a group of the kind swarm".into()));
        }
        if group.agent_ids.is_empty() && !group.manager_type.is_sleeptime() {
            return Err(CoreError::Invalid("There is no agent in the group that could answer".into()));
        }
        let mut names = HashMap::new();
        for member in super::members(&group) {
            if let Some(agent) = agents::get(&mut conn, actor, member).await? {
                names.insert(member.clone(), agent.name);
            }
        }
        Ok(Talk {
            core: Arc::clone(self),
            actor: actor.clone(),
            group,
            request,
            input: input.messages,
            said: Vec::new(),
            heard: HashMap::new(),
            names,
            events,
            shown: Vec::new(),
            usage: TurnUsage::default(),
            stop: StopReason::EndTurn,
        })
    }
}

impl Talk {
    /// Has the group answer.
    async fn answer(mut self) -> Result<Self> {
        let manager = self.group.manager_agent_id.clone();
        match (self.group.manager_type, manager) {
            (ManagerType::RoundRobin, _) => self.round_robin().await?,
            (ManagerType::Dynamic, Some(manager)) => self.dynamic(&manager).await?,
            // The manager answers; its tools and its sleep-time agents do the rest.
            (_, Some(manager)) => {
                let heard = self.hearing(&manager, &[])?;
                self.speak(&manager, heard).await?;
            }
            (_, None) => return Err(CoreError::Invalid("The group has no manager any more".into())),
        }
        Ok(self)
    }

    fn turns(&self) -> usize {
        let usual = i64::try_from(self.group.agent_ids.len()).unwrap_or(MOST_TURNS);
        usize::try_from(self.group.max_turns.unwrap_or(usual).clamp(1, MOST_TURNS)).unwrap_or(1)
    }

    async fn round_robin(&mut self) -> Result<()> {
        let agents = self.group.agent_ids.clone();
        for agent in agents.iter().cycle().take(self.turns()) {
            if self.has_heard_all(agent) {
                break;
            }
            let heard = self.hearing(agent, &[])?;
            self.speak(agent, heard).await?;
        }
        Ok(())
    }

    async fn dynamic(&mut self, manager: &AgentId) -> Result<()> {
        let token = self.group.termination_token.clone().unwrap_or_else(|| TERMINATION_TOKEN.into());
        for _ in 0..self.turns() {
            let question = self.question(&token);
            let heard = self.hearing(manager, &[question])?;
            let Spoken { messages, .. } = self.speak(manager, heard).await?;
            let words = said(&messages);
            let Some(next) = chosen(&messages).filter(|next| self.group.agent_ids.contains(next)) else {
                if !words.contains(&token) {
                    tracing::info!(group = %self.group.id, "the manager chose nobody of the group");
                }
                break;
            };
            let again = if self.has_heard_all(&next) { vec![AGAIN.to_owned()] } else { Vec::new() };
            let heard = self.hearing(&next, &again)?;
            self.speak(&next, heard).await?;
        }
        Ok(())
    }

    /// What the manager of a dynamic group is asked before each turn.
    fn question(&self, token: &str) -> String {
        let mut text = String::from("Who speaks next? The participants are:\n");
        for id in &self.group.agent_ids {
            let name = self.names.get(id).map_or("", String::as_str);
            text.push_str(&format!("- {id}: {name}\n"));
        }
        text.push_str(&format!("Call {CHOOSE} with the identifier of one, or answer {token} when all is said."));
        text
    }

    fn has_heard_all(&self, agent: &AgentId) -> bool {
        let Some(heard) = self.heard.get(agent) else { return false };
        !self.said[*heard..].iter().any(|said| said.by.as_ref() != Some(agent))
    }

    /// What an agent is told at its turn: what it has not heard yet, then `more`. The message itself is the group's own
    /// for the first agent; what others get are copies, whose sender is the group.
    fn hearing(&mut self, agent: &AgentId, more: &[String]) -> Result<Vec<Value>> {
        let copy = |text: &str| json!({"role": "user", "content": text, "group_id": self.group.id, "sender_id": self.group.id});
        let mut told = Vec::new();
        let first = self.heard.is_empty();
        if !self.heard.contains_key(agent) {
            for message in &self.input {
                let mut message = message.clone();
                message.group_id = Some(self.group.id.to_string());
                if !first {
                    message.sender_id = Some(self.group.id.to_string());
                    message.otid = None;
                }
                told.push(serde_json::to_value(message).map_err(|error| CoreError::Internal(error.to_string()))?);
            }
        }
        let from = self.heard.get(agent).copied().unwrap_or(0);
        let news = self.said[from..].iter().filter(|said| said.by.as_ref() != Some(agent));
        told.extend(news.map(|said| copy(&said.text)));
        told.extend(more.iter().map(|text| copy(text)));
        self.heard.insert(agent.clone(), self.said.len());
        Ok(told)
    }

    /// Runs one agent's turn and remembers what it said.
    async fn speak(&mut self, agent: &AgentId, messages: Vec<Value>) -> Result<Spoken> {
        let request = SendRequest {
            messages: Some(messages),
            input: None,
            background: None,
            callback_url: None,
            client_tools: None,
            ..self.request.clone()
        };
        let spoken = match self.events.clone() {
            Some(events) => self.streamed(agent, request, &events).await?,
            None => self.whole(agent, request).await?,
        };
        let mut tx = self.core.store.write().await?;
        groups::tag(&mut tx, &self.actor, &spoken.run, &self.group.id).await?;
        tx.commit().await?;
        let words = said(&spoken.messages);
        if !words.is_empty() {
            let name = self.names.get(agent).map_or_else(|| agent.to_string(), Clone::clone);
            self.said.push(Said { by: Some(agent.clone()), text: format!("{name}: {words}") });
        }
        self.stop = spoken.stop;
        Ok(spoken)
    }

    fn count(&mut self, usage: &TurnUsage) {
        self.usage.prompt_tokens += usage.prompt_tokens;
        self.usage.completion_tokens += usage.completion_tokens;
        self.usage.total_tokens += usage.total_tokens;
        self.usage.step_count += usage.step_count;
    }

    async fn whole(&mut self, agent: &AgentId, request: SendRequest) -> Result<Spoken> {
        let turn = self.core.send(&self.actor, agent, request).await?;
        self.count(&turn.usage);
        self.shown.extend(turn.messages);
        let messages = self.of_run(&turn.run_id).await?;
        Ok(Spoken { run: turn.run_id, stop: turn.stop_reason, messages })
    }

    async fn streamed(
        &mut self,
        agent: &AgentId,
        request: SendRequest,
        events: &mpsc::Sender<TurnEvent>,
    ) -> Result<Spoken> {
        let mut turn = self.core.start_stream(&self.actor, agent, request).await?;
        let run = turn.run_id().clone();
        let mut stop = StopReason::EndTurn;
        while let Some(event) = turn.next().await {
            match event {
                TurnEvent::Stop(reason) => stop = reason,
                TurnEvent::Usage(usage) => self.count(&usage),
                TurnEvent::Error(error) => return Err(error),
                shown @ (TurnEvent::Message(_) | TurnEvent::Stored(_)) => {
                    if events.send(shown).await.is_err() {
                        return Err(CoreError::Unavailable("The client went away".into()));
                    }
                }
            }
        }
        let messages = self.of_run(&run).await?;
        Ok(Spoken { run, stop, messages })
    }

    async fn of_run(&self, run: &RunId) -> Result<Vec<Message>> {
        let mut conn = self.core.store.read().await?;
        Ok(messages::by_run(&mut conn, &self.actor, run, &Page::all()).await?)
    }
}

/// The words of a turn for others: what its agent said, whichever way it says things.
fn said(messages: &[Message]) -> String {
    super::broadcast::words(&envelope::envelopes_of(messages, &Default::default()))
}

/// Whom the manager of a dynamic group chose.
fn chosen(messages: &[Message]) -> Option<AgentId> {
    let mut calls = messages.iter().flat_map(|message| message.tool_calls.iter().flatten());
    let call = calls.rfind(|call| call.function.name == CHOOSE)?;
    let arguments: Value = serde_json::from_str(&call.function.arguments).ok()?;
    AgentId::parse(arguments["next_speaker_agent_id"].as_str()?.trim()).ok()
}
