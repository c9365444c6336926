//! Runs tools as WebAssembly components, with enforced limits and no ambient authority.
//!
//! This is the only crate that names wasmtime. `core` gives it a component and a
//! [`ToolHost`] that speaks for one agent; it gives back a [`CallOutcome`]. A call gets a
//! fresh instance that sees the given environment, the host interfaces of `wit/`, a clock
//! and random numbers: no files, no network, nothing of an earlier call.

mod ansi;
mod bindings;
mod builtin;
mod cache;
mod call;
mod compile;
mod component;
mod config;
mod engine;
mod guest;
mod host;
mod hostcalls;
mod limiter;
mod output;
mod run;
mod sandbox;
mod spec;
mod state;
mod ticker;

pub use builtin::Builtins;
pub use call::{CallOutcome, CallRequest, Limits, TimeLimit, ToolFailure};
pub use config::{SandboxConfig, SandboxError};
pub use guest::Guest;
pub use host::{ConversationHit, ConversationQuery, HostError, MemoryBlock, ToolHost};
pub use sandbox::Sandbox;
pub use spec::{ToolSpec, capability};
