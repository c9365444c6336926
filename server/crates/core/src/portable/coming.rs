//! The messages of a file, made ready to be written while the file is read.

use std::{
    collections::HashMap,
    fs::File,
    io::{Seek, SeekFrom},
    mem,
    ops::ControlFlow,
};

use chrono::TimeDelta;
use mneme_domain::{
    AgentId, Env, GroupId, JsonObject, MessageId, Timestamp,
    content::ContentPart,
    message::{Message, MessageRole},
};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    lenient::Fault,
    message, outline,
    plan::{Plan, Planned, PlannedGroup, wrong},
    view::InView,
};
use crate::{CoreError, Result};

/// Messages that are written together.
const BATCH: usize = 200;
/// Batches on their way between who reads and who writes.
pub const WAITING: usize = 2;
/// What is made ready before anything is written: messages, and bytes of the file. What a file has beyond that is written while
/// it is read, so that an import does not hold a whole history.
const READY: (usize, u64) = (50_000, 32 << 20);

/// Messages that are ready.
pub struct Batch {
    pub messages: Vec<Message>,
    /// How far the file was read for them, in bytes.
    read: u64,
}

/// What is known of the messages to come.
pub struct Coming {
    env: Env,
    pub agents: Vec<Under>,
    pub known: Known,
}

/// New identifiers of the file's agents and groups, by their names in it.
pub struct Known {
    pub agents: HashMap<String, AgentId>,
    groups: HashMap<String, GroupId>,
}

/// An agent whose messages are read.
pub struct Under {
    place: String,
    id: AgentId,
    /// What its first message in view says now, when that is its instructions.
    instructions: Option<Vec<ContentPart>>,
    pub view: InView,
    count: usize,
    last: Timestamp,
    /// Requests for approval, by their names in the file.
    requests: HashMap<String, MessageId>,
}

/// Takes batches until enough are ready. The second part says whether there are no more.
pub async fn ready(batches: &mut mpsc::Receiver<Batch>) -> (Vec<Batch>, bool) {
    let (mut ready, mut count) = (Vec::new(), 0);
    while let Some(batch) = batches.recv().await {
        count += batch.messages.len();
        let enough = count >= READY.0 || batch.read >= READY.1;
        ready.push(batch);
        if enough {
            return (ready, false);
        }
    }
    (ready, true)
}

impl Coming {
    pub fn of(env: &Env, plan: &Plan) -> Self {
        let now = env.now();
        let named = |agent: &Planned| Some((agent.file_id.clone()?, agent.agent.id.clone()));
        let agents = plan.agents.iter().filter_map(named).collect();
        let named = |group: &PlannedGroup| Some((group.file_id.clone()?, group.id.clone()));
        let groups = plan.groups.iter().filter_map(named).collect();
        let under = |planned: &Planned| Under {
            place: planned.place.clone(),
            id: planned.agent.id.clone(),
            instructions: planned.opens_with_system.then(|| planned.system.content.clone()),
            view: InView::new(planned.view.clone()),
            count: 0,
            last: now,
            requests: HashMap::new(),
        };
        let under = plan.agents.iter().map(under).collect();
        Self { env: env.clone(), agents: under, known: Known { agents, groups } }
    }

    /// Reads the file's messages and hands them over in batches, as fast as they are taken. Blocks.
    ///
    /// # Errors
    /// What is wrong with the file, for whoever sent it.
    pub fn read(mut self, mut file: File, batches: &mpsc::Sender<Batch>) -> Result<Self> {
        file.seek(SeekFrom::Start(0)).map_err(|error| CoreError::Internal(error.to_string()))?;
        let mut place = &file;
        let mut made = Vec::new();
        let mut failed = None;
        let walked = outline::messages(&file, |agent, given| {
            match self.message(agent, given) {
                Ok(message) => made.extend(message),
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
            if made.len() < BATCH {
                return ControlFlow::Continue(());
            }
            let read = place.stream_position().unwrap_or_default();
            match batches.blocking_send(Batch { messages: mem::take(&mut made), read }) {
                Ok(()) => ControlFlow::Continue(()),
                // The writer failed and says why itself.
                Err(_) => ControlFlow::Break(()),
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        walked.map_err(CoreError::Invalid)?;
        if !made.is_empty() {
            let _ = batches.blocking_send(Batch { messages: made, read: 0 });
        }
        Ok(self)
    }

    /// The next message in the order of the file; none for one of no agent.
    fn message(&mut self, agent: usize, given: Value) -> Result<Option<Message>> {
        let Some(under) = self.agents.get_mut(agent) else { return Ok(None) };
        let place = |under: &Under| format!("{}, messages[{}]", under.place, under.count);
        let Value::Object(fields) = given else { return Err(wrong(&place(under), "it is no JSON object")) };
        let message = under.message(&self.env, &self.known, &fields);
        message.map(Some).map_err(|fault| wrong(&place(under), fault))
    }
}

impl Under {
    fn message(&mut self, env: &Env, known: &Known, fields: &JsonObject) -> std::result::Result<Message, Fault> {
        let name = fields.get("id").and_then(Value::as_str);
        let id = MessageId::from_uuid(env.uuid());
        let place = message::Place {
            id: id.clone(),
            agent: &self.id,
            // The last moment that there is has none after it.
            at: self.last.checked_add_signed(TimeDelta::microseconds(1)).unwrap_or(self.last),
            spare: env.uuid(),
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
        if let Some(instructions) = &self.instructions
            && self.view.is_first(self.count, name)
        {
            message.content.clone_from(instructions);
        }
        self.view.note(self.count, name, &id);
        self.count += 1;
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(messages: usize, read: u64) -> Batch {
        let agent = AgentId::from_uuid(Env::system().uuid());
        let id = MessageId::from_uuid(Env::system().uuid());
        let message = Message::new(id, agent, MessageRole::User, Env::system().now());
        Batch { messages: vec![message; messages], read }
    }

    #[tokio::test]
    async fn a_file_of_common_size_is_ready_before_anything_is_written() {
        let (batches, mut waiting) = mpsc::channel(8);
        for number in 1..=3 {
            batches.send(batch(BATCH, number << 20)).await.unwrap();
        }
        drop(batches);
        let (made, all) = ready(&mut waiting).await;
        assert_eq!((made.len(), all), (3, true));
    }

    #[tokio::test]
    async fn no_more_is_held_than_has_room() {
        let (batches, mut waiting) = mpsc::channel(8);
        for number in 1..=4 {
            batches.send(batch(1, number * (READY.1 / 2))).await.unwrap();
        }
        drop(batches);
        let (made, all) = ready(&mut waiting).await;
        assert_eq!((made.len(), all), (2, false), "by its bytes");
        let (batches, mut waiting) = mpsc::channel(8);
        for _ in 0..3 {
            batches.send(batch(READY.0 / 2, 1)).await.unwrap();
        }
        let (made, all) = ready(&mut waiting).await;
        assert_eq!((made.len(), all), (2, false), "by their number");
    }
}
