//! The rules of the server: agents and their memory, the agent loop, tools, runs. No HTTP, no SQL, no wire formats.

mod agents;
mod api;
mod archival;
mod batches;
mod blocks;
mod client_tokens;
mod config;
mod context;
mod dates;
mod embedding;
pub mod envelope;
mod error;
mod execute;
mod failpoint;
mod files;
mod fusion;
mod groups;
mod history;
mod identities;
mod lifecycle;
mod live;
mod locks;
pub mod mcp;
mod models;
mod names;
pub mod outbound;
mod packages;
mod portable;
mod prompts;
mod recall_search;
mod run_trace;
mod runs;
mod steps;
mod supervise;
mod takeover;
mod tasks;
mod templates;
mod tools;
mod turn;
mod variables;

use std::sync::Arc;

use mneme_domain::{Actor, Env};
use mneme_llm::LlmClient;
use mneme_macros::boxed;
use mneme_sandbox::Sandbox;
pub use mneme_store::{
    Store,
    agents::{AgentFilter, AgentSort},
    archives::ArchiveFilter,
    blocks::BlockFilter,
    groups::GroupFilter,
    identities::IdentityFilter,
    messages::MessageSearch,
    runs::RunFilter,
    steps::StepFilter,
    templates::TemplateFilter,
    tools::ToolFilter,
};
use tokio_util::sync::CancellationToken;

pub use agents::AgentTest;
pub use api::{ApiDoor, ToolCaller};
pub use archival::{Found as FoundPassage, MemoryBounds, PassageQuery};
pub use client_tokens::{ClientAccess, IssuedToken, NewToken, TOKEN_PREFIX};
pub use config::{CoreConfig, ProviderConfig};
pub use context::overview::ContextWindowOverview;
pub use embedding::LocalModel;
pub use error::{CoreError, LlmFailure, Result};
pub use execute::{Answer as ToolAnswer, SourceRun};
#[cfg(feature = "extism")]
pub use execute::{PluginNetwork, plugin_limits};
pub use files::{FilesConfig, Naming, Spool};
pub use groups::{Broadcast, BroadcastReply, GroupTurn};
pub use history::Compaction;
pub use models::{CheckProvider, CreateProvider, ModelFilter, ModelRegistry, ProviderView, UpdateProvider};
pub use packages::PackagesConfig;
pub use portable::ImportOptions;
pub use recall_search::{FoundMessage, SearchMode};
pub use run_trace::Span;
pub use templates::{Deploy, Deployed, MigrateDeployment, TemplateSource};
pub use tools::{FoundTool, ToolPolicy, ToolSearch, Upload, UploadKind};
pub use turn::{Reading, TurnEvent, TurnResult, TurnStream};
pub use variables::VariableChanges;

/// A conversation of stored messages, as a step makes it before it calls its model: for the bench `compile`.
#[doc(hidden)]
pub fn compiled(system: &str, messages: &[mneme_domain::message::Message]) -> Vec<mneme_llm::ChatMessage> {
    context::history::to_chat(system, messages)
}

/// Everything the server can do. Shared by all requests.
pub struct Core {
    config: CoreConfig,
    store: Store,
    sandbox: Sandbox,
    models: ModelRegistry,
    embedder: embedding::Embedder,
    /// Agents whose messages wait for their vectors.
    recall: embedding::Recall,
    env: Env,
    contexts: context::cache::ContextCache,
    locks: locks::AgentLocks,
    live: live::LiveRuns,
    outbound: outbound::Outbound,
    mcp: mcp::Mcp,
    packages: packages::Packages,
    /// TypeScript and JavaScript files as they run, by source.
    scripts: execute::Scripts,
    /// Uploaded tools, ready to be called.
    uploads: execute::Uploads,
    door: api::DoorPlace,
    batches: batches::Batches,
    /// The work on uploads.
    files: files::FileWork,
    /// This start of this server, as the owner of runs.
    replica: String,
    /// Turns under way.
    tasks: tasks::Tasks,
    /// No new turns.
    closing: CancellationToken,
    /// Turns under way have to end.
    stopping: CancellationToken,
    /// This server has given back what it had.
    gone: CancellationToken,
}

#[boxed]
impl Core {
    /// The core over its services.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(mut config: CoreConfig, store: Store, sandbox: Sandbox, client: LlmClient, env: Env) -> Result<Self> {
        config.batch_poll = config.batch_poll.max(config::LEAST_POLL);
        let no_client = |error| CoreError::Internal(format!("no outbound HTTP client: {error}"));
        let outbound = outbound::Outbound::new(config.private_network).map_err(no_client)?;
        let client = client.with_guard(outbound::guard(config.private_network).map_err(no_client)?);
        let models = ModelRegistry::new(&config, client);
        let mcp = mcp::Mcp::new(&config)
            .map_err(|error| CoreError::Internal(format!("no HTTP client for MCP servers: {error}")))?;
        let env_id = env.uuid();
        let embedder = embedding::Embedder::new(config.local_model);
        let packages = packages::Packages::new(config.packages.clone());
        Ok(Self {
            config,
            store,
            sandbox,
            models,
            embedder,
            recall: embedding::Recall::default(),
            env,
            contexts: context::cache::ContextCache::default(),
            locks: locks::AgentLocks::default(),
            live: live::LiveRuns::default(),
            outbound,
            mcp,
            packages,
            scripts: execute::scripts(),
            uploads: execute::Uploads::default(),
            door: api::DoorPlace::new(),
            batches: batches::Batches::default(),
            files: files::FileWork::default(),
            replica: format!("replica-{}", env_id),
            tasks: tasks::Tasks::default(),
            closing: CancellationToken::new(),
            stopping: CancellationToken::new(),
            gone: CancellationToken::new(),
        })
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The sandbox that tools run in.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The server's clock.
    pub fn now(&self) -> mneme_domain::Timestamp {
        self.env.now()
    }

    /// The providers and their models.
    pub fn models(&self) -> &ModelRegistry {
        &self.models
    }

    /// Labels in use.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_tags(
        self: &Arc<Self>,
        actor: &Actor,
        query: Option<String>,
        page: &mneme_domain::Page,
    ) -> Result<Vec<String>> {
        let mut conn = self.store.read().await?;
        Ok(mneme_store::tags::list(&mut conn, actor, query.as_deref(), page).await?)
    }
}
