//! Opens what the server is made of.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use mneme_core::{
    Core, CoreConfig, FilesConfig, PackagesConfig, ProviderConfig, mcp::McpSettings, outbound::PrivateNetwork,
};
use mneme_domain::{Env, policy::HostPattern};
use mneme_llm::{BreakerPolicy, LlmClient, PriceTable, RetryPolicy, Timeouts};
use mneme_sandbox::{Sandbox, SandboxConfig};
use mneme_store::{MasterKey, Store, StoreConfig};
use secrecy::SecretString;
use url::Url;

use super::CommandError;
use crate::{
    config::{Busy, Config, seconds},
    embeddings, master_key, runtimes,
};

/// Makes the data directory, or another one that the settings name, for its owner only.
pub fn data_dir(path: &Path) -> Result<(), CommandError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| CommandError::new(format!("cannot make the directory {}", path.display()), error))
}

/// Opens the database, which may be of any version yet.
pub async fn store(config: &Config) -> Result<Store, CommandError> {
    let unusable = |error| CommandError::new(format!("cannot use {}", config.master_key_file().display()), error);
    let key = master_key::load_or_create(config).map_err(unusable)?;
    let store = open(config, (&key).into()).await?;
    // A change of the key that was interrupted after the database had it is finished here.
    let next = master_key::next_file(config);
    if config.master_key.is_none() && next.exists() {
        let fresh = MasterKey::from(&master_key::read(&next).map_err(unusable)?);
        let used = store.key_id().await.map_err(|error| CommandError::new("cannot read the database", error))?;
        if used == Some(fresh.id()) {
            store.close().await;
            master_key::promote(config).map_err(unusable)?;
            tracing::warn!("a change of the master key had been interrupted; it is finished now");
            return open(config, fresh).await;
        }
    }
    Ok(store)
}

/// Opens the database with a key.
pub async fn open(config: &Config, key: MasterKey) -> Result<Store, CommandError> {
    let database = config.database();
    let mut settings = StoreConfig::new(database.reveal(), key);
    settings.max_connections = config.database_connections;
    Store::open(&settings)
        .await
        .map_err(|error| CommandError::new(format!("cannot open the database {database}"), error))
}

/// Sets up the sandbox for tools; with the port at which a server answers, if there is one.
pub fn sandbox(config: &Config, own_port: Option<u16>) -> Result<Sandbox, CommandError> {
    let settings = SandboxConfig {
        cache_dir: Some(config.cache_dir()),
        max_instances: config.sandbox_instances,
        // Compiling takes memory that this process would never give back.
        compiler: std::env::current_exe().ok(),
        runtimes_dir: Some(config.runtimes_dir()),
        unpack_runtimes: Some(runtimes::unpack),
        runtime_hash: Some(runtimes::hash),
        scratch_dir: Some(config.data_dir.join("scratch")),
        private_hosts: private_hosts(config),
        own_port,
        ..SandboxConfig::default()
    };
    Sandbox::new(settings).map_err(|error| CommandError::new("cannot set up the sandbox", error))
}

/// Sets up the client for model providers.
pub fn llm(config: &Config) -> Result<LlmClient, CommandError> {
    let timeouts = Timeouts {
        connect: seconds(config.llm_connect_seconds),
        first_byte: seconds(config.llm_first_byte_seconds),
        idle: seconds(config.llm_idle_seconds),
        total: seconds(config.llm_total_seconds),
    };
    let retry = RetryPolicy { max_attempts: config.llm_attempts, ..RetryPolicy::default() };
    let breaker = BreakerPolicy { failures: config.llm_breaker_failures, ..BreakerPolicy::default() };
    let client = LlmClient::new(timeouts, retry).map(|client| client.with_breaker(breaker));
    client.map_err(|error| CommandError::new("cannot set up the client for models", error))
}

/// The configured providers as the core takes them.
pub fn providers(config: &Config) -> Vec<ProviderConfig> {
    let provider = |entry: &crate::config::ProviderEntry| {
        Some(ProviderConfig {
            name: entry.name.clone(),
            kind: entry.kind,
            base_url: entry.url()?,
            api_key: entry.api_key.as_ref().map(|key| key.inner().clone()),
            extras: entry.extras(),
        })
    };
    config.providers.iter().filter_map(provider).collect()
}

/// Puts the core together.
pub fn core(
    config: &Config,
    providers: Vec<ProviderConfig>,
    store: Store,
    sandbox: Sandbox,
    llm: LlmClient,
) -> Result<Arc<Core>, CommandError> {
    let settings = CoreConfig {
        providers,
        default_context_window: config.default_context_window,
        model_cache: seconds(config.model_cache_seconds),
        model_list_timeout: seconds(config.model_list_seconds),
        private_network: private_network(config),
        tool_variables: tool_variables(),
        packages: packages(config),
        mcp: mcp(config),
        embed_messages: config.embed_messages,
        local_model: embeddings::local(),
        files: FilesConfig { folder: config.uploads_dir(), max_bytes: config.max_upload_bytes },
        run_lease: seconds(config.run_lease_seconds),
        batch_poll: seconds(config.batch_poll_seconds),
        reject_busy: config.busy_agent == Busy::Reject,
        prices: prices(config)?,
        trace_age: seconds(config.trace_days.saturating_mul(86_400)),
        callback_secret: config.callback_secret.as_ref().map(|secret| secret.inner().clone()),
        ..CoreConfig::default()
    };
    let core = Core::new(settings, store, sandbox, llm, Env::system());
    core.map(Arc::new).map_err(|error| CommandError::new("cannot set up the client for images and callbacks", error))
}

/// What models cost: the operator's file, or what the program knows.
pub fn prices(config: &Config) -> Result<PriceTable, CommandError> {
    let Some(path) = &config.price_file else { return Ok(PriceTable::default()) };
    let unusable = |reason: String| CommandError::new(format!("cannot use the prices in {}", path.display()), reason);
    let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let table: PriceTable = if json {
        serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?
    } else {
        toml::from_str(&text).map_err(|error| unusable(error.message().to_owned()))?
    };
    table.check().map_err(unusable)?;
    Ok(table)
}

/// What built-in tools may read of the server's environment.
const TOOL_VARIABLES: &[&str] = &["EXA_API_KEY", "EXA_BASE_URL", "TAVILY_API_KEY", "TAVILY_BASE_URL", "SEARXNG_URL"];

fn tool_variables() -> BTreeMap<String, SecretString> {
    let given = |name: &&str| {
        let value = std::env::var(name).ok().filter(|value| !value.trim().is_empty())?;
        Some(((*name).to_owned(), SecretString::from(value)))
    };
    TOOL_VARIABLES.iter().filter_map(given).collect()
}

fn packages(config: &Config) -> PackagesConfig {
    let program = |command: &str| Some(PathBuf::from(command)).filter(|_| !command.trim().is_empty());
    PackagesConfig {
        folder: config.packages_dir(),
        python: program(&config.python_command),
        npm: program(&config.npm_command),
        ..PackagesConfig::default()
    }
}

fn mcp(config: &Config) -> McpSettings {
    McpSettings {
        stdio: config.mcp_stdio(),
        private_hosts: config.tool_private_hosts.iter().filter_map(|host| host.parse().ok()).collect(),
        connect: seconds(config.mcp_connect_seconds),
        list: seconds(config.mcp_list_seconds),
        call: seconds(config.mcp_call_seconds),
        public_url: config.public_url.as_deref().and_then(|url| Url::parse(url).ok()),
        ..McpSettings::default()
    }
}

/// Private addresses that tools may reach: those that the operator listed for them. While only this machine can reach
/// the server, its own tools may also reach what the operator named elsewhere, the model providers and the search server.
fn private_hosts(config: &Config) -> Vec<HostPattern> {
    let mut hosts: Vec<HostPattern> = config.tool_private_hosts.iter().filter_map(|host| host.parse().ok()).collect();
    if config.password.is_none() {
        let search = std::env::var("SEARXNG_URL").ok().and_then(|url| Url::parse(&url).ok());
        let named = config.providers.iter().filter_map(crate::config::ProviderEntry::url).chain(search);
        hosts.extend(named.filter_map(|url| {
            format!("{}:{}", url.host_str()?, url.port_or_known_default()?).parse::<HostPattern>().ok()
        }));
    }
    hosts
}

/// Images and callbacks may be on this machine while only this machine can reach the server; otherwise whoever can
/// talk to the server could reach what listens here.
fn private_network(config: &Config) -> PrivateNetwork {
    if config.password.is_none() { PrivateNetwork::Loopback } else { PrivateNetwork::Deny }
}
