//! A core over a scratch database, the real sandbox and a scripted model provider.

use std::sync::Arc;

use mneme_core::{Core, CoreConfig, ProviderConfig};
use mneme_domain::{
    Actor, AgentId, Env,
    agent::{AgentState, AgentType, CreateAgent},
    block::CreateBlock,
    request::SendRequest,
};
use mneme_llm::{LlmClient, ProviderKind, RetryPolicy, Timeouts};
use mneme_sandbox::{Sandbox, SandboxConfig};
use mneme_store::{MasterKey, Store, StoreConfig};
use mneme_tests::{Provider, postgres::Postgres};
use serde_json::{Value, json};

/// Where a scratch world keeps its data.
#[derive(Debug, Clone, Copy)]
pub enum On {
    Sqlite,
    Postgres,
}

/// A server without its HTTP surface.
pub struct World {
    pub core: Arc<Core>,
    pub provider: Provider,
    pub actor: Actor,
    url: String,
    _data: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::on(On::Sqlite).await
    }

    pub async fn on(database: On) -> Self {
        Self::with(database, |_| {}).await
    }

    pub async fn with(database: On, change: impl FnOnce(&mut CoreConfig)) -> Self {
        let provider = Provider::start().await;
        let data = tempfile::tempdir().unwrap();
        let url = match database {
            On::Sqlite => format!("sqlite://{}", data.path().join("mneme.db").display()),
            On::Postgres => Postgres::shared().create_database(),
        };
        let core = start(&url, &provider, change).await;
        Self { core, provider, actor: Actor::default_admin(), url, _data: data }
    }

    /// Another server on the same database.
    pub async fn another(&self, change: impl FnOnce(&mut CoreConfig)) -> Arc<Core> {
        start(&self.url, &self.provider, change).await
    }

    /// An agent of the current architecture that knows one fact.
    pub async fn agent(&self) -> AgentState {
        self.agent_with(|_| {}).await
    }

    pub async fn agent_with(&self, change: impl FnOnce(&mut CreateAgent)) -> AgentState {
        let block = |label: &str, value: &str| -> CreateBlock {
            serde_json::from_value(json!({"label": label, "value": value})).unwrap()
        };
        let mut body = CreateAgent {
            model: Some("openai/gpt-4o-mini".into()),
            memory_blocks: Some(vec![block("human", "Name: Ada."), block("persona", "I am terse.")]),
            ..CreateAgent::default()
        };
        change(&mut body);
        self.core.create_agent(&self.actor, body, AgentType::LettaV1Agent).await.unwrap()
    }

    pub async fn say(&self, agent: &AgentId, text: &str) -> mneme_core::Result<mneme_core::TurnResult> {
        self.core.send(&self.actor, agent, say(text)).await
    }

    /// The value of an agent's block.
    pub async fn block(&self, agent: &AgentId, label: &str) -> String {
        self.core.get_agent_block(&self.actor, agent, label).await.unwrap().value
    }
}

async fn start(url: &str, provider: &Provider, change: impl FnOnce(&mut CoreConfig)) -> Arc<Core> {
    let store = Store::open(&StoreConfig::new(url.to_owned(), MasterKey::new([7; 32]))).await.unwrap();
    store.migrate().await.unwrap();
    let mut config = CoreConfig {
        providers: vec![ProviderConfig {
            name: "openai".into(),
            kind: ProviderKind::OpenAiCompatible,
            base_url: provider.base_url().parse().unwrap(),
            api_key: Some("test-key".to_owned().into()),
            extras: mneme_llm::Extras::default(),
        }],
        private_network: mneme_core::outbound::PrivateNetwork::Loopback,
        run_lease: std::time::Duration::from_secs(1),
        ..CoreConfig::default()
    };
    change(&mut config);
    // Each story has a sandbox of its own; compiling the guests once is enough for all.
    let cache_dir = Some(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("sandbox-cache"));
    let sandbox = Sandbox::new(SandboxConfig { cache_dir, ..SandboxConfig::default() }).unwrap();
    let client = LlmClient::new(Timeouts::default(), RetryPolicy::default()).unwrap();
    let core = Arc::new(Core::new(config, store, sandbox, client, Env::system()).unwrap());
    core.start().await.unwrap();
    core
}

/// A request with one user message.
pub fn say(text: &str) -> SendRequest {
    request(json!({"messages": [{"role": "user", "content": text}]}))
}

/// A request of a JSON body.
pub fn request(body: Value) -> SendRequest {
    serde_json::from_value(body).unwrap()
}

/// Envelopes as clients read them.
pub fn shown(envelopes: &[mneme_domain::envelope::Envelope]) -> Vec<Value> {
    envelopes.iter().map(|envelope| serde_json::to_value(envelope).unwrap()).collect()
}

/// The kinds of some envelopes.
pub fn kinds(envelopes: &[mneme_domain::envelope::Envelope]) -> Vec<String> {
    shown(envelopes).iter().map(|value| value["message_type"].as_str().unwrap().to_owned()).collect()
}
