//! Runs Extism plugins: core WebAssembly modules with functions that take and give a text.
//!
//! This crate alone names `extism`. It is not as tight a place as the sandbox of components: a plugin is compiled in the
//! server's process. So plugins are taken from administrators only, every limit that the engine has is set, and
//! nothing of Extism's own way to the outside is left: requests, configuration and logs go through [`PluginHost`].

mod call;
mod check;
mod describe;
mod functions;
mod host;

pub use call::{PluginCall, PluginFailure, PluginLimits, PluginOutcome, Plugins};
pub use check::{Plugin, PluginError};
pub use host::{PluginHost, PluginRequest, PluginResponse};
