//! An agent for tests, and one sandbox for all of them.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use mneme_sandbox::{
    ArchivalHit, ArchivalQuery, CallOutcome, CallRequest, ConversationHit, ConversationQuery, Grants, Guest, HostError,
    Limits, MemoryBlock, Sandbox, SandboxConfig, ToolHost,
};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::OnceCell;

/// A block whose reading never ends.
pub const STUCK: &str = "stuck";

/// An agent made of values.
#[derive(Default)]
pub struct Agent {
    blocks: Mutex<Vec<MemoryBlock>>,
    pub queries: Mutex<Vec<ConversationQuery>>,
    pub memories: Mutex<Vec<(String, Vec<String>)>>,
}

impl Agent {
    pub fn with(blocks: &[(&str, &str)]) -> Arc<Self> {
        let agent = Self::default();
        for (label, value) in blocks {
            agent.add(label, value, 5_000, false);
        }
        Arc::new(agent)
    }

    pub fn add(&self, label: &str, value: &str, limit: u64, read_only: bool) {
        self.blocks.lock().push(MemoryBlock {
            label: label.to_owned(),
            value: value.to_owned(),
            description: None,
            limit,
            read_only,
        });
    }

    pub fn value(&self, label: &str) -> String {
        let blocks = self.blocks.lock();
        let block = blocks.iter().find(|block| block.label == label);
        block.expect("the block").value.clone()
    }
}

#[async_trait]
impl ToolHost for Agent {
    async fn blocks(&self) -> Result<Vec<MemoryBlock>, HostError> {
        Ok(self.blocks.lock().clone())
    }

    async fn block(&self, label: &str) -> Result<MemoryBlock, HostError> {
        if label == STUCK {
            std::future::pending::<()>().await;
        }
        let blocks = self.blocks.lock();
        let found = blocks.iter().find(|block| block.label == label).cloned();
        found.ok_or_else(|| HostError::NotFound(format!("no block {label}")))
    }

    async fn set_block(&self, label: &str, value: String) -> Result<(), HostError> {
        tokio::task::yield_now().await;
        let mut blocks = self.blocks.lock();
        let block = blocks.iter_mut().find(|block| block.label == label);
        block.ok_or_else(|| HostError::NotFound(format!("no block {label}")))?.value = value;
        Ok(())
    }

    async fn search_conversation(&self, query: ConversationQuery) -> Result<Vec<ConversationHit>, HostError> {
        if query.start_date.as_deref() == Some("soon") {
            return Err(HostError::Invalid("`start_date` is no date".to_owned()));
        }
        let content = format!("about {}", query.text);
        self.queries.lock().push(query);
        Ok(vec![ConversationHit {
            id: "message-1".to_owned(),
            timestamp: "1970-01-01T00:00:10+00:00".to_owned(),
            role: "assistant".to_owned(),
            content,
        }])
    }

    async fn archive(&self, content: String, tags: Vec<String>) -> Result<String, HostError> {
        let mut memories = self.memories.lock();
        memories.push((content, tags));
        Ok(format!("passage-{}", memories.len()))
    }

    async fn search_archive(&self, query: ArchivalQuery) -> Result<Vec<ArchivalHit>, HostError> {
        let memories = self.memories.lock();
        let fits = |(_, tags): &&(String, Vec<String>)| match query.match_all_tags {
            true => query.tags.iter().all(|tag| tags.contains(tag)),
            false => query.tags.is_empty() || query.tags.iter().any(|tag| tags.contains(tag)),
        };
        let hit = |(content, tags): &(String, Vec<String>)| ArchivalHit {
            id: "passage-1".to_owned(),
            timestamp: query.start.clone().unwrap_or_default(),
            tags: tags.clone(),
            content: content.clone(),
            score: 0.5,
            vector_rank: None,
            text_rank: query.limit,
        };
        Ok(memories.iter().filter(fits).map(hit).collect())
    }

    fn agent_id(&self) -> &str {
        "agent-test"
    }

    fn timezone(&self) -> &str {
        "Europe/Paris"
    }

    fn now(&self) -> i64 {
        15_000
    }
}

/// Compiled guests survive between test runs here.
pub fn shared_cache() -> SandboxConfig {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    SandboxConfig { cache_dir: Some(target.join("sandbox-cache")), ..SandboxConfig::default() }
}

/// The sandbox that most tests use.
pub fn sandbox() -> Sandbox {
    static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::new(shared_cache()).expect("a sandbox"));
    SANDBOX.clone()
}

/// The bytes of the guest that means harm.
pub fn hostile_bytes() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../builtin-tools/dist/test/hostile.wasm");
    std::fs::read(path).expect("hostile.wasm, built by `cargo xtask setup`")
}

/// That guest, loaded once.
pub async fn hostile() -> Guest {
    static HOSTILE: OnceCell<Guest> = OnceCell::const_new();
    let load = || async { sandbox().load(&hostile_bytes()).await.expect("it loads") };
    HOSTILE.get_or_init(load).await.clone()
}

pub fn request(host: &Arc<Agent>, tool: &str, arguments: Value) -> CallRequest {
    CallRequest {
        tool: tool.to_owned(),
        arguments: arguments.to_string(),
        host: host.clone(),
        limits: Limits::default(),
        grants: Grants::default(),
        env: Vec::new(),
    }
}

/// Calls a built-in tool.
pub async fn call(host: &Arc<Agent>, tool: &str, arguments: Value) -> Result<String, String> {
    let sandbox = sandbox();
    let builtins = sandbox.builtin().await.expect("they load");
    let (guest, _) = builtins.find(tool).expect("a built-in tool");
    let outcome = sandbox.call(guest, request(host, tool, arguments)).await;
    outcome.result.map_err(|failure| failure.to_string())
}

/// Calls a harmful tool under some limits.
pub async fn attack(tool: &str, arguments: Value, limits: Limits) -> CallOutcome {
    let request = CallRequest { limits, ..request(&Agent::with(&[("notes", "private")]), tool, arguments) };
    sandbox().call(&hostile().await, request).await
}

/// Limits that a test reaches quickly.
pub fn tight() -> Limits {
    Limits {
        memory_bytes: 32 << 20,
        cpu: Duration::from_millis(300),
        wall: Duration::from_secs(3),
        host_call: Duration::from_secs(2),
        output_bytes: 64 << 10,
        log_bytes: 8 << 10,
        file_bytes: 1 << 20,
    }
}
