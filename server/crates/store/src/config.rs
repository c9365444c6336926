//! What a store is opened with.

use std::{fmt, time::Duration};

use mneme_domain::Env;
use sha2::{Digest, Sha256};

/// The key under which secrets (variables of agents, keys of providers) are encrypted at rest.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// A key of 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Names the key without giving it away: 16 hexadecimal digits of a digest. Ciphertexts carry it.
    pub fn id(&self) -> String {
        let digest = Sha256::new().chain_update(b"mneme master key").chain_update(self.0).finalize();
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// Where the data is and how to reach it.
#[derive(Clone)]
pub struct StoreConfig {
    /// `sqlite://path`, `sqlite::memory:` (a temporary file) or `postgres://…`.
    pub url: String,
    /// Most connections: of the one pool on PostgreSQL, of the readers on SQLite (which has one writer beside them).
    pub max_connections: u32,
    /// How long a caller waits for a free connection, and SQLite for another process's lock.
    pub acquire_timeout: Duration,
    /// How long one statement may run on PostgreSQL.
    pub statement_timeout: Duration,
    /// How much memory the rounded vectors of one archive, folder or agent may take, in bytes: some 330,000 of 384 numbers in
    /// 128 MiB. Larger ones are searched where they are.
    pub space_memory_bytes: usize,
    /// Encrypts secrets at rest.
    pub master_key: MasterKey,
    /// Clock and randomness.
    pub env: Env,
}

impl StoreConfig {
    /// A configuration with the usual limits.
    pub fn new(url: impl Into<String>, master_key: MasterKey) -> Self {
        Self {
            url: url.into(),
            max_connections: 16,
            acquire_timeout: Duration::from_secs(15),
            statement_timeout: Duration::from_secs(30),
            space_memory_bytes: 128 << 20,
            master_key,
            env: Env::system(),
        }
    }
}

impl fmt::Debug for StoreConfig {
    /// Leaves out the URL, which may hold a password, and the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .finish_non_exhaustive()
    }
}
