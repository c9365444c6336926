//! Agent files (`.af`): agents with their memory, tools and history as one JSON file that any server reads.
//!
//! A file is strangers' data. It is read in two passes within bounds, checked entity by entity, and written in one
//! transaction: a file that is wrong somewhere leaves nothing behind. Tools in it are data; nothing of them is run.

mod bounded;
mod coming;
mod entities;
mod export;
mod folders;
mod import;
mod legacy;
mod lenient;
mod message;
mod outline;
mod plan;
mod quoted;
mod servers;
mod view;

use mneme_domain::agent::AgentType;

/// How a file is to be imported.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Put `_copy` behind the agents' names.
    pub append_copy_suffix: bool,
    /// The first agent's name, instead of the one that the file has.
    pub name: Option<String>,
    /// Let the file's tools take the place of users' tools of the same names.
    pub override_tools: bool,
    /// The model of the agents, instead of the one that the file has: `provider/model`. What the file sets beside the model
    /// stays.
    pub model: Option<String>,
    /// The embedding model of the agents, instead of the one that the file has: `provider/model`.
    pub embedding: Option<String>,
    /// The project of the agents.
    pub project_id: Option<String>,
    /// Leave the history behind.
    pub strip_messages: bool,
    /// Values of variables that the agents' tools see.
    pub variables: Vec<(String, String)>,
    /// What an agent is whose file does not say it.
    pub default_type: AgentType,
}
