//! The sandbox: loads guests and runs their tools.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::bindings::ToolPre;
use crate::builtin::{self, Builtins};
use crate::cache::Cache;
use crate::compile::Compiler;
use crate::guest::{Guest, NoAgent};
use crate::run::Instance;
use crate::state::{State, Streams};
use crate::ticker::Ticker;
use crate::{
    CallOutcome, CallRequest, Limits, SandboxConfig, SandboxError, TimeLimit, ToolFailure, ansi, component, engine,
    output,
};

/// Runs tools. Clones share the engine, the pool of instances and the cache of compiled code.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    config: SandboxConfig,
    engine: Engine,
    linker: Linker<State>,
    ticker: Ticker,
    compiler: Compiler,
    /// One permit for each instance that the pool has room for.
    places: Semaphore,
    builtins: OnceCell<Arc<Builtins>>,
}

impl Sandbox {
    /// Sets up the engine and opens the cache folder. Takes a few milliseconds; no code is loaded.
    pub fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        let engine = engine::build(&config)?;
        let linker = engine::linker(&engine)?;
        let cache = match &config.cache_dir {
            Some(folder) => Some(Cache::open(folder, &engine)?),
            None => None,
        };
        let ticker = Ticker::start(&engine).map_err(|error| SandboxError::Setup(error.to_string()))?;
        let places = Semaphore::new(config.max_instances.max(1) as usize);
        let compiler = Compiler::new(&engine, cache, &config);
        Ok(Self {
            shared: Arc::new(Shared { config, engine, linker, ticker, compiler, places, builtins: OnceCell::new() }),
        })
    }

    /// Checks, compiles (or takes from the cache), links and describes a component.
    ///
    /// Compilation happens off the async threads, a few at a time, and may take seconds for a
    /// large component that is not in the cache yet.
    pub async fn load(&self, wasm: &[u8]) -> Result<Guest, SandboxError> {
        component::check(wasm, self.shared.config.max_component_bytes)?;
        let component = self.shared.compiler.compile(wasm).await?;
        let wrong = |error: wasmtime::Error| SandboxError::WrongWorld(format!("{error:#}"));
        let pre = self.shared.linker.instantiate_pre(&component);
        let pre = ToolPre::new(pre.map_err(wrong)?).map_err(wrong)?;
        let described = self.describe(&pre).await.map_err(|failure| match failure {
            ToolFailure::Internal(reason) => SandboxError::WrongWorld(reason),
            other => SandboxError::BadSpec(other.to_string()),
        })?;
        Guest::new(pre, described)
    }

    async fn describe(
        &self,
        pre: &ToolPre<State>,
    ) -> Result<Vec<crate::bindings::exports::mneme::tool::guest::ToolSpec>, ToolFailure> {
        let limits = Limits {
            cpu: Duration::from_secs(1),
            wall: Duration::from_secs(10),
            memory_bytes: self.shared.config.max_memory_bytes,
            ..Limits::default()
        };
        let streams = Streams::new(&limits);
        let state = State::new(Arc::new(NoAgent), Vec::new(), &limits, &[], &streams);
        self.within(&limits, async {
            let mut instance = Instance::start(&self.shared.engine, pre, state, &limits, &streams).await?;
            instance.describe(&limits, &streams).await
        })
        .await
    }

    /// The built-in tools. The first call loads them: milliseconds from a warm cache, otherwise
    /// they are compiled.
    pub async fn builtin(&self) -> Result<Arc<Builtins>, SandboxError> {
        let loaded = self.shared.builtins.get_or_try_init(|| async {
            let mut guests = Vec::new();
            for wasm in builtin::GUESTS {
                guests.push(self.load(wasm).await?);
            }
            Ok(Arc::new(Builtins::new(guests)?))
        });
        Ok(Arc::clone(loaded.await?))
    }

    /// Calls one tool of a guest, in an instance of its own.
    pub async fn call(&self, guest: &Guest, request: CallRequest) -> CallOutcome {
        let start = Instant::now();
        let mut limits = request.limits;
        limits.memory_bytes = limits.memory_bytes.min(self.shared.config.max_memory_bytes);
        let streams = Streams::new(&limits);

        let result = match guest.tool(&request.tool) {
            None => Err(ToolFailure::InvalidArguments(format!("there is no tool called `{}`", request.tool))),
            Some(spec) => {
                let state = State::new(request.host, spec.capabilities.clone(), &limits, &request.env, &streams);
                self.within(&limits, async {
                    let engine = &self.shared.engine;
                    let mut instance = Instance::start(engine, guest.pre(), state, &limits, &streams).await?;
                    instance.call(&request.tool, &request.arguments, &limits, &streams).await
                })
                .await
            }
        };
        finish(result, &limits, &streams, start.elapsed())
    }

    /// Runs guest code when there is room for an instance, for no longer than it may take.
    async fn within<T>(
        &self,
        limits: &Limits,
        work: impl Future<Output = Result<T, ToolFailure>>,
    ) -> Result<T, ToolFailure> {
        let deadline = Instant::now() + limits.wall;
        let place = tokio::time::timeout_at(deadline, self.shared.places.acquire()).await;
        let Ok(Ok(_place)) = place else {
            return Err(ToolFailure::Internal("too many tools are running, try again later".to_owned()));
        };
        let _running = self.shared.ticker.run();
        tokio::time::timeout_at(deadline, work)
            .await
            .unwrap_or(Err(ToolFailure::Timeout { kind: TimeLimit::Wall, limit: limits.wall }))
    }
}

/// Bounds and cleans what the guest said.
fn finish(result: Result<String, ToolFailure>, limits: &Limits, streams: &Streams, duration: Duration) -> CallOutcome {
    let mut truncated = false;
    let mut bounded = |text: String| {
        let (text, cut) = output::cut(text, limits.output_bytes);
        truncated |= cut;
        ansi::strip(&text)
    };
    let result = match result {
        Ok(text) => Ok(bounded(text)),
        Err(ToolFailure::InvalidArguments(text)) => Err(ToolFailure::InvalidArguments(bounded(text))),
        Err(ToolFailure::Failed(text)) => Err(ToolFailure::Failed(bounded(text))),
        Err(ToolFailure::Denied(text)) => Err(ToolFailure::Denied(bounded(text))),
        Err(other) => Err(other),
    };
    let mut captured = |capture: &output::Capture| {
        let (text, cut) = capture.text();
        truncated |= cut;
        match text.is_empty() {
            true => Vec::new(),
            false => vec![text],
        }
    };
    CallOutcome { stdout: captured(&streams.stdout), stderr: captured(&streams.stderr), result, truncated, duration }
}
