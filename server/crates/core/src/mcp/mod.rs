//! MCP servers: tools that run elsewhere. Everything a server says is a stranger's word: what it sends is bounded, what
//! it keeps waiting is given up, and what it breaks is its own connection alone.
//!
//! [`servers`] keeps what people set up, [`tools`] what came of it in the registry. [`pool`] has a connection for each
//! server and set of credentials; [`open`] makes one over [`http`], [`sse`] or [`stdio`], all of them a [`way`]; [`call`]
//! calls a tool and [`result`](mod@result) puts its answer into words. [`oauth`] asks people for permission.

mod body;
mod call;
mod connect;
mod failure;
mod family;
mod http;
mod oauth;
mod open;
mod pool;
mod resolve;
mod result;
mod schema;
mod servers;
mod settings;
mod sse;
mod stdio;
mod template;
mod tools;
mod way;

pub use body::{McpServerBody, McpServerChanges};
pub use failure::McpFailure;
pub use oauth::McpCallback;
pub use settings::McpSettings;
pub use stdio::McpLog;

use crate::{Core, config::CoreConfig, outbound::Peers};

/// Where browsers come back from authorization servers. Open to everybody: what they bring says who they are.
pub const CALLBACK_PATH: &str = "/v1/tools/mcp/oauth/callback";

/// What the core needs to talk to MCP servers.
pub(crate) struct Mcp {
    settings: McpSettings,
    peers: Peers,
    pool: pool::Pool,
    /// One at a time renews the tokens of a server.
    renewals: oauth::Renewals,
}

impl Mcp {
    /// Without connections.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub(crate) fn new(config: &CoreConfig) -> Result<Self, reqwest::Error> {
        let settings = config.mcp.clone();
        let peers = Peers::new(config.private_network, settings.private_hosts.clone())?;
        Ok(Self { settings, peers, pool: pool::Pool::default(), renewals: oauth::Renewals::default() })
    }

    /// Ends all connections, and the processes behind them.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

impl Core {
    /// Where browsers come back from authorization servers; `host` is what the client calls this server.
    pub fn mcp_callback_url(&self, host: Option<&str>) -> String {
        match &self.mcp.settings.public_url {
            Some(url) => format!("{}{CALLBACK_PATH}", url.as_str().trim_end_matches('/')),
            None => format!("http://{}{CALLBACK_PATH}", host.unwrap_or("localhost")),
        }
    }
}
