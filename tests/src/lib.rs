//! What every black-box suite of the project stands on: a throw-away Postgres, a scripted model provider,
//! the real server binary, and the official SDKs.
//!
//! This crate depends on no other crate of the workspace, so that all of them may use it in their own tests.
//! It is test code: a helper that cannot do its work panics with the reason, it never skips a test.

pub mod llamacpp;
pub mod mcp;
pub mod postgres;
pub mod provider;
pub mod sdk;
pub mod server;

mod paths;

pub use postgres::Postgres;
pub use provider::{Provider, Reply};
pub use server::{Server, ServerBuilder};

/// A client without proxies for requests to loopback.
///
/// Several TLS back ends may be in the tree, so the process names one before its first client.
pub fn http_client() -> reqwest::Client {
    // The second call of a process fails and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a plain client can be built")
}
