//! The services that every request shares.

use std::{ops::Deref, sync::Arc, time::Duration};

use mneme_core::Core;
use tokio::sync::Semaphore;

use crate::{
    config::{Config, seconds},
    http::{auth::Gate, cors::Origins},
};

/// Limits of what one request may send.
#[derive(Debug, Clone, Copy)]
pub struct RequestLimits {
    /// Bytes of a JSON body.
    pub body_bytes: usize,
    /// Bytes of an agent file.
    pub import_bytes: usize,
    /// Values in a JSON body.
    pub json_values: usize,
    /// How long a client may pause while it sends a body.
    pub body_timeout: Duration,
}

/// The services.
pub struct App {
    /// The rules and the data.
    pub core: Arc<Core>,
    /// Who may use the server.
    pub gate: Gate,
    /// Which web pages and host names are ours.
    pub origins: Origins,
    /// Places for requests that are worked on.
    pub requests: Semaphore,
    /// Limits of what one request may send.
    pub limits: RequestLimits,
    /// How long a stream is silent before a ping.
    pub ping: Duration,
}

/// The services as handlers get them. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<App>);

impl AppState {
    /// The services over a core.
    pub fn new(core: Arc<Core>, config: &Config) -> Self {
        Self(Arc::new(App {
            core,
            gate: Gate::new(config.password.as_ref()),
            origins: Origins::new(config),
            requests: Semaphore::new(config.max_requests),
            limits: RequestLimits {
                body_bytes: config.max_body_bytes,
                import_bytes: config.max_import_bytes,
                json_values: config.max_json_values,
                body_timeout: seconds(config.body_timeout_seconds),
            },
            ping: seconds(config.ping_seconds),
        }))
    }
}

impl Deref for AppState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}
