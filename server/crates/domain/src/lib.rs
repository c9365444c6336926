//! The vocabulary of the server: identifiers, entities and the API's wire types.
//!
//! Nothing here does I/O. Field names are the API's, so a value serialises to what a client reads.

pub mod actor;
pub mod agent;
pub mod archive;
pub mod batch;
pub mod block;
pub mod client_token;
pub mod clock;
pub mod compaction;
pub mod content;
pub mod envelope;
pub mod folder;
pub mod group;
pub mod identity;
pub mod ids;
pub mod job;
pub mod llm_config;
pub mod mcp;
pub mod message;
pub mod model_settings;
pub mod net;
pub mod page;
pub mod patch;
pub mod policy;
pub mod request;
pub mod run;
pub mod step;
pub mod template;
pub mod tool;
pub mod tool_rule;
pub mod variable;

pub use actor::{Actor, Role};
pub use clock::{Clock, Env, IdSource, SystemClock, TimeOrderedIds};
pub use ids::*;
pub use page::{Order, Page};
pub use patch::Patch;

/// A JSON object with its keys in the order they were written.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;
/// A point in time; stored and compared in whole microseconds.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
