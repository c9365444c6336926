//! What the operator decides about MCP servers, and what nobody does.

use std::time::Duration;

use mneme_domain::policy::HostPattern;
use url::Url;

/// The most servers of an organisation.
pub const MAX_SERVERS: i64 = 500;
/// The most tools of one server.
pub const MAX_TOOLS: usize = 2_000;
/// The most pages of one server's list of tools.
pub const MAX_PAGES: usize = 200;
/// The largest message that a server may send, in bytes. A list of tools is made of several.
pub const MAX_MESSAGE: usize = 8 << 20;
/// The largest list of tools, all of its messages together, in bytes.
pub const MAX_LIST: usize = 16 << 20;
/// The most of a server's words that is passed on in an error, in characters.
pub const MAX_REASON: usize = 2_000;
/// The most that a tool's result has in words, in bytes.
pub const MAX_RESULT: usize = 1 << 20;

/// Settings.
#[derive(Debug, Clone)]
pub struct McpSettings {
    /// Whether servers may be child processes of this one: whoever adds one runs programs as this server's user.
    pub stdio: bool,
    /// Private addresses that servers and their authorization servers may have.
    pub private_hosts: Vec<HostPattern>,
    /// How long a server may take from the first connection to the end of the handshake.
    pub connect: Duration,
    /// How long it may take to list its tools.
    pub list: Duration,
    /// How long it may take to answer a call.
    pub call: Duration,
    /// How long a person may take to give permission.
    pub permission: Duration,
    /// How long looking for an authorization server and registering there may take.
    pub discovery: Duration,
    /// Where browsers find this server, when that is not what clients call it.
    pub public_url: Option<Url>,
}

impl Default for McpSettings {
    fn default() -> Self {
        Self {
            stdio: false,
            private_hosts: Vec::new(),
            connect: Duration::from_secs(30),
            list: Duration::from_secs(30),
            call: Duration::from_secs(120),
            permission: Duration::from_secs(300),
            discovery: Duration::from_secs(30),
            public_url: None,
        }
    }
}
