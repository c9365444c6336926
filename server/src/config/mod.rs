//! The server's settings: one struct, every key with its default, its environment variables and its explanation.
//!
//! Later layers win: defaults, the file, the environment, the command line. `mneme config` prints [`render`].

mod aws;
mod keys;
mod load;
mod provider;
mod render;
mod validate;
mod value;

pub use keys::{Config, KEYS, Key, Layer};
pub use load::{ConfigError, Source, load};
pub use provider::{ProviderEntry, from_environment};
pub use render::render;
pub use value::{Busy, DatabaseUrl, LogFormat, Permission, Secret};

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// The name of the settings file that is read from the data directory when no other is named.
pub const FILE_NAME: &str = "mneme.toml";

impl Config {
    /// The address to listen on. [`validate::check`] has seen to it that the host is an address or `localhost`.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.ip().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), self.port)
    }

    fn ip(&self) -> Option<IpAddr> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        if host.eq_ignore_ascii_case("localhost") { Some(Ipv4Addr::LOCALHOST.into()) } else { host.parse().ok() }
    }

    /// The database, by default a file in the data directory.
    pub fn database(&self) -> DatabaseUrl {
        self.database_url.clone().unwrap_or_else(|| DatabaseUrl::sqlite(&self.data_dir.join("mneme.db")))
    }

    /// Where compiled tools are kept.
    pub fn cache_dir(&self) -> PathBuf {
        self.compiled_dir.clone().unwrap_or_else(|| self.data_dir.join("cache"))
    }

    /// Where the language runtimes are kept, beside what is compiled of them.
    pub fn runtimes_dir(&self) -> PathBuf {
        self.cache_dir().join("runtimes")
    }

    /// Where packages that tools need are kept.
    pub fn packages_dir(&self) -> PathBuf {
        self.packages_dir.clone().unwrap_or_else(|| self.data_dir.join("packages"))
    }

    /// Whether MCP servers may be programs on this machine.
    pub fn mcp_stdio(&self) -> bool {
        match self.mcp_stdio {
            Permission::Yes => true,
            Permission::No => false,
            Permission::Auto => self.password.is_none() && self.ip().is_some_and(|ip| ip.is_loopback()),
        }
    }

    /// Where uploads lie until they are read.
    pub fn uploads_dir(&self) -> PathBuf {
        self.uploads_dir.clone().unwrap_or_else(|| self.data_dir.join("uploads"))
    }

    /// Where the key lies that encrypts secrets, unless it comes from the environment.
    pub fn master_key_file(&self) -> PathBuf {
        self.data_dir.join("master.key")
    }
}

/// Whole seconds of a setting as a duration.
pub fn seconds(value: u64) -> Duration {
    Duration::from_secs(value)
}
