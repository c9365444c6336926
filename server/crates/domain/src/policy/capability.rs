//! Names of what a tool can be given beside computing.

/// Read the agent's memory blocks.
pub const MEMORY_READ: &str = "memory-read";
/// Change the agent's memory blocks.
pub const MEMORY_WRITE: &str = "memory-write";
/// Search the agent's message history.
pub const CONVERSATION_SEARCH: &str = "conversation-search";
/// Send requests over the network, within the tool's network policy.
pub const NETWORK: &str = "network";
/// Use this server's own API as the agent's owner.
pub const API: &str = "api";

/// All of them.
pub const ALL: &[&str] = &[MEMORY_READ, MEMORY_WRITE, CONVERSATION_SEARCH, NETWORK, API];

/// A refusal: something that a tool tried without having the power to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Denial {
    /// The missing capability.
    pub capability: String,
    /// What was tried, and why it was refused.
    pub detail: String,
}
