//! How long a tool call takes: `cargo bench -p mneme-sandbox`.
//!
//! Prints set-up times, then percentiles of single calls and the rate of many at once, for tools in Rust and, when
//! `cargo xtask setup` has built the runtime, in Python.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use mneme_domain::policy::{Policy, ToolKind};
use mneme_sandbox::{
    Action, CallRequest, ConversationHit, ConversationQuery, Grants, HostError, Language, Limits, MemoryBlock, Program,
    Sandbox, SandboxConfig, ScriptRequest, ToolHost,
};

const CALLS: usize = 5_000;
const AT_ONCE: usize = 64;

/// An agent with one block that forgets what is written to it.
struct Agent;

#[async_trait]
impl ToolHost for Agent {
    async fn blocks(&self) -> Result<Vec<MemoryBlock>, HostError> {
        Ok(vec![self.block("notes").await?])
    }

    async fn block(&self, label: &str) -> Result<MemoryBlock, HostError> {
        Ok(MemoryBlock {
            label: label.to_owned(),
            value: "The user likes long walks.\n".repeat(40),
            description: None,
            limit: 5_000,
            read_only: false,
        })
    }

    async fn set_block(&self, _: &str, _: String) -> Result<(), HostError> {
        Ok(())
    }

    async fn search_conversation(&self, _: ConversationQuery) -> Result<Vec<ConversationHit>, HostError> {
        Ok(Vec::new())
    }

    fn agent_id(&self) -> &str {
        "agent-bench"
    }

    fn timezone(&self) -> &str {
        "UTC"
    }

    fn now(&self) -> i64 {
        0
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let config = || SandboxConfig { cache_dir: Some(folder.path().join("cache")), ..SandboxConfig::default() };
    let start = Instant::now();
    Sandbox::new(config())?.builtin().await?;
    println!("first start, compiling     {:>10.1?}", start.elapsed());
    let start = Instant::now();
    let sandbox = Sandbox::new(config())?;
    println!("engine                     {:>10.1?}", start.elapsed());
    let start = Instant::now();
    let builtins = sandbox.builtin().await?;
    println!("built-in tools, warm cache {:>10.1?}", start.elapsed());

    for (tool, arguments) in
        [("memory_finish_edits", "{}"), ("memory_insert", r#"{"label": "notes", "new_str": "It rains."}"#)]
    {
        let (guest, _) = builtins.find(tool).ok_or("no such tool")?;
        let request = || CallRequest {
            tool: tool.to_owned(),
            arguments: arguments.to_owned(),
            host: Arc::new(Agent),
            limits: Limits::default(),
            grants: Grants::default(),
            env: Vec::new(),
        };
        let mut times = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let outcome = sandbox.call(guest, request()).await;
            outcome.result?;
            times.push(outcome.duration);
        }
        times.sort_unstable();
        let percentile = |p: usize| times.get((CALLS - 1) * p / 100).copied().unwrap_or_default();
        println!("{tool:<26} p50 {:>8.1?}  p90 {:>8.1?}  p99 {:>8.1?}", percentile(50), percentile(90), percentile(99));

        let start = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let (sandbox, guest, requests) =
                (sandbox.clone(), guest.clone(), (0..CALLS / AT_ONCE).map(|_| request()).collect::<Vec<_>>());
            tasks.spawn(async move {
                for request in requests {
                    sandbox.call(&guest, request).await.result?;
                }
                Ok::<_, mneme_sandbox::ToolFailure>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        let calls = (CALLS / AT_ONCE * AT_ONCE) as f64;
        let rate = calls / start.elapsed().max(Duration::from_micros(1)).as_secs_f64();
        println!("{:<26} {rate:.0} calls/s, {AT_ONCE} at once", "");
    }
    scripts(config()).await
}

async fn scripts(config: SandboxConfig) -> Result<(), Box<dyn std::error::Error>> {
    const RUNS: usize = 500;
    let runtimes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../builtin-tools/dist/runtimes");
    let config = SandboxConfig { runtimes_dir: Some(runtimes), ..config };
    let sandbox = Sandbox::new(config.clone())?;
    if !sandbox.has_runtime(Language::Python) {
        println!("python: no runtime is built");
        return Ok(());
    }
    let start = Instant::now();
    sandbox.warm_up(Language::Python).await?;
    println!("python, compiling          {:>10.1?}", start.elapsed());
    let sandbox = Sandbox::new(config)?;
    let start = Instant::now();
    sandbox.warm_up(Language::Python).await?;
    println!("python, warm cache         {:>10.1?}", start.elapsed());
    let policy = Policy::of(ToolKind::Python);
    let request = || ScriptRequest {
        program: Program {
            source: "def roll(sides: int) -> int:\n    import random\n    return random.randint(1, sides)\n".to_owned(),
            filename: "roll.py".to_owned(),
            action: Action::Call { function: "roll".to_owned(), arguments: r#"{"sides": 6}"#.to_owned() },
            env: Vec::new(),
            agent_state: None,
        },
        host: Arc::new(Agent),
        limits: Limits::of(&policy),
        grants: Grants::of(&policy),
    };
    let first = sandbox.run_script(Language::Python, request()).await?;
    first.result?;
    println!("python, first call         {:>10.1?}", first.duration);
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let outcome = sandbox.run_script(Language::Python, request()).await?;
        outcome.result?;
        times.push(outcome.duration);
    }
    times.sort_unstable();
    let percentile = |p: usize| times.get((RUNS - 1) * p / 100).copied().unwrap_or_default();
    println!(
        "{:<26} p50 {:>8.1?}  p90 {:>8.1?}  p99 {:>8.1?}",
        "python call",
        percentile(50),
        percentile(90),
        percentile(99)
    );
    Ok(())
}
