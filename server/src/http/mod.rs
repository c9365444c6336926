//! Everything between the socket and the handlers: connections, who is asking, what may be asked, how answers look.

pub mod absent;
pub mod auth;
pub mod body;
pub mod client;
pub mod client_token;
pub mod context;
pub mod cors;
pub mod door;
pub mod error;
pub mod form;
pub mod guard;
pub mod include;
pub mod json_shape;
pub mod listener;
pub mod load;
pub mod normalize;
pub mod page;
pub mod path;
pub mod problem;
pub mod pyrepr;
pub mod query;
pub mod sse;
mod stall;
pub mod upload;

pub use auth::Caller;
pub use body::{Body, GetBody, OptionalBody};
pub use client::Client;
pub use error::{Answer, ApiError};
pub use include::Wanted;
pub use page::Paging;
pub use path::{BlockLabel, Id, McpServerName, McpToolName, ToolName};
pub use query::Query;
