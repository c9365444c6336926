//! The server: settings, the command line, and the HTTP surface over `mneme-core`.

pub mod app;
pub mod cli;
pub mod config;
mod embeddings;
pub mod http;
pub mod master_key;
pub mod openapi;
pub mod router;
pub mod routes;
mod runtimes;
pub mod ui;

/// The version that the server reports.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
