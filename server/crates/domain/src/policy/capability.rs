//! Names of what a tool can be given beside computing.

use chrono::{DateTime, Utc};

use crate::{AgentId, DenialId, RunId, StepId, ToolId};

/// Read the agent's memory blocks.
pub const MEMORY_READ: &str = "memory-read";
/// Change the agent's memory blocks.
pub const MEMORY_WRITE: &str = "memory-write";
/// Search the agent's message history.
pub const CONVERSATION_SEARCH: &str = "conversation-search";
/// Keep texts in the agent's archival memory, and search it.
pub const ARCHIVAL: &str = "archival";
/// Read, open and search the files of the agent's folders.
pub const FILES: &str = "files";
/// Send requests over the network, within the tool's network policy.
pub const NETWORK: &str = "network";
/// Use this server's own API as the agent's owner.
pub const API: &str = "api";

/// Write files, within one call, in a folder of its own.
pub const SCRATCH: &str = "scratch";

/// What a withheld environment variable counts as. It is granted by name, see [`super::EnvPolicy`].
pub const ENV: &str = "env";

/// All that can be granted by these names.
pub const ALL: &[&str] = &[MEMORY_READ, MEMORY_WRITE, CONVERSATION_SEARCH, ARCHIVAL, FILES, NETWORK, API, SCRATCH];

/// A refusal: something that a tool tried without having the power to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Denial {
    /// The missing capability.
    pub capability: String,
    /// What was tried, and why it was refused.
    pub detail: String,
}

/// A refusal as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct ToolDenial {
    /// Identifier.
    #[schema(value_type = String)]
    pub id: DenialId,
    /// The tool that was refused something.
    #[schema(value_type = String)]
    pub tool_id: ToolId,
    /// The agent that called it; null when a person did.
    #[schema(value_type = Option<String>)]
    pub agent_id: Option<AgentId>,
    /// The run of the newest such call.
    #[schema(value_type = Option<String>)]
    pub run_id: Option<RunId>,
    /// The step of the newest such call.
    #[schema(value_type = Option<String>)]
    pub step_id: Option<StepId>,
    /// The missing capability.
    pub capability: String,
    /// What was tried, and why it was refused.
    pub detail: String,
    /// In how many calls.
    pub count: i64,
    /// When first.
    pub first_at: DateTime<Utc>,
    /// When last.
    pub last_at: DateTime<Utc>,
}
