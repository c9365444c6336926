//! Runs tools as WebAssembly components, with enforced limits and no ambient authority.
//!
//! This is the only crate that names wasmtime. `core` gives it a component and a
//! [`ToolHost`] that speaks for one agent; it gives back a [`CallOutcome`]. A call gets a
//! fresh instance that sees the given environment, a clock and random numbers, the host interfaces
//! of `wit/` and the network as far as it was granted them: no files but granted folders, nothing of
//! an earlier call.
//!
//! Tools are components of the world in `wit/tool-*` ([`Sandbox::call`]), or source text that a
//! language runtime, a component of the world in `wit/script-*`, runs ([`Sandbox::run_script`]).

mod ansi;
mod bindings;
mod bounds;
mod builtin;
mod cache;
mod call;
mod compile;
mod component;
mod config;
mod data;
mod engine;
mod files;
mod guest;
mod host;
mod hostcalls;
mod lane;
mod limiter;
mod memory;
mod net;
mod outcome;
mod output;
mod run;
mod sandbox;
mod script;
mod spec;
mod state;
mod ticker;

pub use builtin::Builtins;
pub use call::{CallOutcome, CallRequest, Grants, Limits, Mount, TimeLimit, ToolFailure, Usage};
pub use compile::CompileJob;
pub use config::{RuntimeHash, SandboxConfig, SandboxError};
pub use data::layout as data_layout;
pub use guest::{Guest, NoAgent};
pub use host::{
    ApiRequest, ApiResponse, ArchivalHit, ArchivalQuery, ConversationHit, ConversationQuery, FileEntry, FileHit,
    FilePiece, HostError, MemoryBlock, OpenedFile, ToolHost,
};
pub use mneme_domain::policy::{Denial, capability};
pub use net::{Courier, NameResolver, SystemResolver};
pub use outcome::clean;
pub use sandbox::Sandbox;
pub use script::{
    Action, Display, Language, Program, Raised, RuntimeError, ScriptFailure, ScriptOutcome, ScriptRequest, ScriptValue,
};
pub use spec::ToolSpec;
