//! Groups: agents that talk with each other, and who says whose turn it is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AgentId, BlockId, GroupId, MessageId};

/// How a group works, in the API's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ManagerType {
    /// The agents speak one after the other.
    RoundRobin,
    /// One agent hands work to the others and answers.
    Supervisor,
    /// One agent says who speaks next.
    Dynamic,
    /// The agents look after the memory of one in the background.
    Sleeptime,
    /// The same for an agent that is spoken with.
    VoiceSleeptime,
    /// Of older servers; it is kept, but nothing can be sent to it.
    Swarm,
}

impl ManagerType {
    const ALL: [(Self, &'static str); 6] = [
        (Self::RoundRobin, "round_robin"),
        (Self::Supervisor, "supervisor"),
        (Self::Dynamic, "dynamic"),
        (Self::Sleeptime, "sleeptime"),
        (Self::VoiceSleeptime, "voice_sleeptime"),
        (Self::Swarm, "swarm"),
    ];

    /// The API's name.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("round_robin", |(_, name)| name)
    }

    /// Reads the API's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// Whether the group's agents work in the background of another.
    pub fn is_sleeptime(self) -> bool {
        matches!(self, Self::Sleeptime | Self::VoiceSleeptime)
    }

    /// Whether the group needs an agent that manages it.
    pub fn has_manager(self) -> bool {
        !matches!(self, Self::RoundRobin | Self::Swarm)
    }
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// Identifier.
    #[schema(value_type = String)]
    pub id: GroupId,
    /// How it works.
    pub manager_type: ManagerType,
    /// Who speaks in it, in this order.
    #[schema(value_type = Vec<String>)]
    pub agent_ids: Vec<AgentId>,
    /// What it is for.
    pub description: String,
    /// The project of the hosted product; kept as given.
    pub project_id: Option<String>,
    pub template_id: Option<String>,
    pub base_template_id: Option<String>,
    pub deployment_id: Option<String>,
    /// Blocks that its agents share.
    #[schema(value_type = Vec<String>)]
    pub shared_block_ids: Vec<BlockId>,
    /// The agent that manages it.
    #[schema(value_type = Option<String>)]
    pub manager_agent_id: Option<AgentId>,
    /// What the manager of a dynamic group says to end the conversation.
    pub termination_token: Option<String>,
    /// How often agents speak in answer to one message.
    pub max_turns: Option<i64>,
    /// Every how many turns of the manager its sleep-time agents work.
    pub sleeptime_agent_frequency: Option<i64>,
    /// Counts those turns; -1 before the first.
    pub turns_counter: Option<i64>,
    /// The newest message that the sleep-time agents were told of.
    #[schema(value_type = Option<String>)]
    pub last_processed_message_id: Option<MessageId>,
    pub max_message_buffer_length: Option<i64>,
    pub min_message_buffer_length: Option<i64>,
    /// Hidden groups are left out of lists.
    pub hidden: Option<bool>,
}

/// How a group works; what does not concern its kind is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ManagerConfig {
    /// The kind; `round_robin` for a new group that does not say.
    pub manager_type: Option<ManagerType>,
    #[schema(value_type = Option<String>)]
    pub manager_agent_id: Option<AgentId>,
    pub max_turns: Option<i64>,
    pub termination_token: Option<String>,
    pub sleeptime_agent_frequency: Option<i64>,
    pub max_message_buffer_length: Option<i64>,
    pub min_message_buffer_length: Option<i64>,
}

/// The body of a group's creation.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub struct CreateGroup {
    #[schema(value_type = Vec<String>)]
    pub agent_ids: Vec<AgentId>,
    pub description: String,
    #[serde(default)]
    pub manager_config: Option<ManagerConfig>,
    #[serde(default)]
    pub project_id: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub shared_block_ids: Option<Vec<BlockId>>,
    #[serde(default)]
    pub hidden: Option<bool>,
}

/// The body of a group's update; what it does not name stays.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct GroupUpdate {
    #[schema(value_type = Option<Vec<String>>)]
    pub agent_ids: Option<Vec<AgentId>>,
    pub description: Option<String>,
    pub manager_config: Option<ManagerConfig>,
    pub project_id: Option<String>,
    #[schema(value_type = Option<Vec<String>>)]
    pub shared_block_ids: Option<Vec<BlockId>>,
}
