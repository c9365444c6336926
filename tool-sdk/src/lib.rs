//! Write a tool for an agent in Rust.
//!
//! A tool is a function with a doc comment and typed arguments. What it may ask of the
//! server is in its signature: a parameter taken by reference, such as [`&Memory`](Memory) or
//! [`&Conversation`](Conversation), is a capability that the host hands in; one with
//! `#[env("NAME")]` is an environment variable, such as a key; every other parameter is an
//! argument that the model fills in.
//!
//! ```
//! use mneme_tool_sdk::{Memory, ToolError, export_tools, tool};
//!
//! /// Counts the words of a memory block.
//! ///
//! /// # Arguments
//! /// * `label` - The block to count in.
//! /// * `longer_than` - Count only words with more letters than this. Defaults to 0.
//! #[tool]
//! fn count_words(
//!     memory: &Memory,
//!     label: String,
//!     #[arg(default = 0)] longer_than: usize,
//! ) -> Result<String, ToolError> {
//!     let block = memory.block(&label)?;
//!     let words = block.value.split_whitespace();
//!     Ok(words.filter(|word| word.chars().count() > longer_than).count().to_string())
//! }
//!
//! export_tools!(count_words);
//!
//! # #[cfg(not(target_family = "wasm"))]
//! # fn main() {
//! // A unit test on the native target:
//! use mneme_tool_sdk::mock::MockHost;
//! let host = MockHost::new().with_block("human", "likes long walks");
//! let answer = host.call::<count_words>(serde_json::json!({"label": "human", "longer_than": 4}));
//! assert_eq!(answer, Ok("2".to_owned()));
//! # }
//! ```
//!
//! Build the crate (`crate-type = ["cdylib"]`) for `wasm32-wasip2`; the file is the tool.

mod answer;
mod api;
mod arguments;
mod capability;
mod environment;
mod error;
mod host;
pub mod http;
mod schema;
mod tool;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod guest;
#[cfg(not(target_family = "wasm"))]
pub mod mock;

pub use answer::{IntoAnswer, Json};
pub use api::Api;
pub use arguments::Arguments;
pub use capability::{Agent, Archival, Capability, Conversation, Files, Log, Memory, MemoryEditor};
pub use environment::{FromEnvironment, Secret};
pub use error::{HostError, ToolError};
pub use host::{
    ArchivalHit, ArchivalQuery, Block, FileEntry, FileHit, FilePiece, FileRange, Hit, Host, Level, OpenedFile, Query,
};
pub use http::Http;
pub use mneme_tool_sdk_macros::{ToolSchema, tool};
pub use schema::ToolSchema;
pub use tool::{Parameter, RegisteredTool, Tool, ToolSpec};

#[doc(hidden)]
pub use serde_json;

/// Makes the named tools those of this component. Use it once, at the top of the crate.
#[macro_export]
macro_rules! export_tools {
    ($($tool:path),+ $(,)?) => {
        /// The tools of this component.
        #[doc(hidden)]
        pub fn exported_tools() -> ::std::vec::Vec<$crate::RegisteredTool> {
            ::std::vec![$($crate::RegisteredTool::of::<$tool>()),+]
        }
        $crate::__export_component!(exported_tools);
    };
}

/// Off the wasm target there is no component to export.
#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_component {
    ($tools:path) => {};
}
