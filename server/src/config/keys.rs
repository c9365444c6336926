//! Every key of the configuration, in the order in which `mneme config` shows them.

use std::path::PathBuf;

use serde::Deserialize;

use super::{
    provider::ProviderEntry,
    value::{Busy, DatabaseUrl, LogFormat, Permission, Secret, Setting, default_data_dir},
};

/// What is known about a key besides its value.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name in the file.
    pub name: &'static str,
    /// Environment variables of other servers that mean the same; `MNEME_<NAME>` comes first.
    pub aliases: &'static [&'static str],
    /// What it is for, line by line.
    pub doc: &'static [&'static str],
    /// The default as TOML, `None` for keys that are unset by default.
    pub default: fn() -> Option<String>,
}

impl Key {
    /// The environment variable of this server.
    pub fn env(&self) -> String {
        format!("MNEME_{}", self.name.to_ascii_uppercase())
    }
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident: $kind:ty = $default:expr $(; $($alias:literal)|+)?,)*) => {
        /// All settings. `Debug` shows no secrets.
        #[derive(Debug, Clone)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $name: $kind,)*
            /// Model providers.
            pub providers: Vec<ProviderEntry>,
            /// Whether the password was made up at this start, so that nobody knows it yet.
            pub password_made_up: bool,
        }

        /// Some settings: what one file, the environment or the command line says.
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Layer {
            $(pub $name: Option<$kind>,)*
            pub providers: Option<Vec<ProviderEntry>>,
        }

        /// The keys.
        pub const KEYS: &[Key] = &[$(Key {
            name: stringify!($name),
            aliases: &[$($($alias),+)?],
            doc: &[$($doc),+],
            default: || <$kind as Setting>::toml(&$default),
        }),*];

        impl Layer {
            /// Reads the variables that `lookup` knows; empty ones count as unset.
            pub fn from_env(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
                let mut layer = Self::default();
                let mut keys = KEYS.iter();
                $(if let Some((variable, text)) = keys.next().and_then(|key| find(key, lookup)) {
                    let parsed = <$kind as Setting>::parse(&text).map_err(|reason| format!("{variable}: {reason}"))?;
                    layer.$name = Some(parsed);
                })*
                Ok(layer)
            }

            /// Lays this layer over the settings so far.
            pub fn apply(self, config: &mut Config) {
                $(if let Some(value) = self.$name {
                    config.$name = value;
                })*
                if let Some(providers) = self.providers {
                    config.providers = providers;
                }
            }
        }

        impl Default for Config {
            fn default() -> Self {
                Self { $($name: $default,)* providers: Vec::new(), password_made_up: false }
            }
        }
    };
}

fn find(key: &Key, lookup: &dyn Fn(&str) -> Option<String>) -> Option<(String, String)> {
    let own = key.env();
    std::iter::once(own.as_str())
        .chain(key.aliases.iter().copied())
        .find_map(|name| lookup(name).filter(|text| !text.trim().is_empty()).map(|text| (name.to_owned(), text)))
}

settings! {
    /// The address to listen on: an IP address or `localhost`. Anything but a loopback address needs a password.
    host: String = "127.0.0.1".to_owned(),
    /// The port to listen on.
    port: u16 = 8283,
    /// Where the database, the settings file, the master key, uploads, packages and compiled tools are kept.
    data_dir: PathBuf = default_data_dir(),
    /// The database: `sqlite:<path>` or `postgres://user:password@host/name`. Unset: mneme.db in the data directory.
    database_url: Option<DatabaseUrl> = None; "LETTA_PG_URI",
    /// Connections to a Postgres database that are kept open at most.
    database_connections: u32 = 20; "LETTA_PG_POOL_SIZE",
    /// The password that clients send as their bearer token. Unset: none is asked for, on loopback only.
    password: Option<Secret> = None; "LETTA_SERVER_PASSWORD",
    /// Demand a password even when none is set; one is made up at each start and printed.
    secure: bool = false; "SECURE",
    /// The key that encrypts secrets at rest: 32 bytes in hexadecimal or base64. Unset: master.key in the data directory.
    master_key: Option<Secret> = None,
    /// Host names, besides the loopback ones, under which a server without a password may be asked.
    allowed_hosts: Vec<String> = Vec::new(),
    /// Origins, besides those on localhost, whose web pages may talk to the server, such as `https://app.example.com`.
    cors_origins: Vec<String> = Vec::new(),
    /// How the log is written: `text` or `json`.
    log_format: LogFormat = LogFormat::Text,
    /// What is logged, in the syntax of RUST_LOG, such as `info` or `mneme=debug,info`.
    log_level: String = "info".to_owned(); "RUST_LOG",
    /// The context window of a new agent in tokens, unless it asks for another or its model has less.
    default_context_window: u32 = 32_000,
    /// Give messages vectors, in the background, so that they are found by meaning.
    embed_messages: bool = true,
    /// Look for model servers on this machine (Ollama, LM Studio, llama.cpp, vLLM) when no provider is set up.
    discover_local: bool = true,
    /// How long a provider's list of models is used before it is asked again, in seconds.
    model_cache_seconds: u64 = 300,
    /// How long a provider may take to list its models, in seconds.
    model_list_seconds: u64 = 10,
    /// How long connecting to a provider may take, in seconds.
    llm_connect_seconds: u64 = 10,
    /// How long a provider may take from a request to the first byte of its answer, in seconds.
    llm_first_byte_seconds: u64 = 300,
    /// How long a provider may be silent in the middle of an answer, in seconds.
    llm_idle_seconds: u64 = 120,
    /// How long one model call may take in all, with its repetitions, in seconds.
    llm_total_seconds: u64 = 1200,
    /// How often a failed model call is tried in all.
    llm_attempts: u32 = 3,
    /// Model calls that fail in a row before a provider is left alone for a while; 0 never.
    llm_breaker_failures: u32 = 5,
    /// A file of prices, TOML or JSON, in place of the built-in ones; see docs/PROVIDERS.md.
    price_file: Option<PathBuf> = None,
    /// How long requests to providers and their answers are kept with a step, in days; 0 keeps none.
    trace_days: u64 = 30,
    /// Tools that run at the same time.
    sandbox_instances: u32 = 64,
    /// Where compiled tools and language runtimes are kept; servers of one machine may share it. Unset: `cache` in the
    /// data directory.
    compiled_dir: Option<PathBuf> = None,
    /// Where packages that tools need are kept. Unset: `packages` in the data directory.
    packages_dir: Option<PathBuf> = None; "TOOL_EXEC_DIR",
    /// The Python program whose pip fetches packages for tools and the data runtime. They do not run on it. Empty: none.
    python_command: String = "python3".to_owned(),
    /// The npm program that fetches packages for tools. They do not run on its Node.js. Empty: no packages.
    npm_command: String = "npm".to_owned(),
    /// Hosts that tools may reach although their addresses are not public, such as `10.0.0.7:8080` or `*.internal`.
    tool_private_hosts: Vec<String> = Vec::new(),
    /// Whether MCP servers may be programs on this machine (stdio), which whoever adds one then runs as this server's
    /// user: `yes`, `no`, or `auto`, which is yes while the server asks for no password and so is reached from this
    /// machine alone.
    mcp_stdio: Permission = Permission::Auto,
    /// How long an MCP server may take from the first connection to the end of the handshake, in seconds.
    mcp_connect_seconds: u64 = 30,
    /// How long an MCP server may take to list its tools, in seconds.
    mcp_list_seconds: u64 = 30,
    /// How long an MCP server may take to answer a tool call, in seconds.
    mcp_call_seconds: u64 = 120,
    /// Where browsers find this server, such as `https://agents.example.com`: they come back there from the
    /// authorization servers of MCP servers. Unset: where the client that connects finds it, over http.
    public_url: Option<String> = None,
    /// The largest JSON body of a request, in bytes.
    max_body_bytes: usize = 10 << 20,
    /// The largest agent file that is imported, in bytes. It is read from the disk, piece by piece.
    max_import_bytes: usize = 1 << 30,
    /// The largest file that can be uploaded to a folder, in bytes.
    max_upload_bytes: usize = 50 << 20,
    /// Where uploads lie until they are read; each server has its own. Unset: `uploads` in the data directory.
    uploads_dir: Option<PathBuf> = None,
    /// What happens to a message for an agent that is busy: `queue` lets it wait for its turn, `reject` answers 409.
    busy_agent: Busy = Busy::Queue,
    /// How long a server counts as alive after its last sign of life, in seconds; then others go on with its runs.
    run_lease_seconds: u64 = 12,
    /// How soon a batch is looked at that was handed over to its provider, in seconds; later looks come less and less
    /// often, down to one a minute.
    batch_poll_seconds: u64 = 2,
    /// The secret that callbacks are signed with, in the header `x-mneme-signature`. Unset: they are not signed.
    callback_secret: Option<Secret> = None,
    /// The most values (objects, lists, strings, numbers, …) in a JSON body.
    max_json_values: usize = 500_000,
    /// Connections that are open at the same time; more wait.
    max_connections: usize = 4096,
    /// Requests that are worked on at the same time; more are answered with 503.
    max_requests: usize = 1024,
    /// How long a client may take to send the head of a request, in seconds.
    header_timeout_seconds: u64 = 30,
    /// How long a client may pause while it sends a body, in seconds.
    body_timeout_seconds: u64 = 30,
    /// How long a client may leave an answer unread, in seconds.
    write_timeout_seconds: u64 = 60,
    /// How often a silent stream sends a ping to clients that ask for pings, in seconds.
    ping_seconds: u64 = 30,
    /// How long requests and streams under way may take to end when the server is stopped, in seconds.
    shutdown_seconds: u64 = 25,
}
