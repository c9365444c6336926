//! The sandbox: loads guests and runs their tools.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;
use wasmtime::component::{Component, Linker};

use crate::bindings::ToolPre;
use crate::bindings::exports::mneme::tool::guest::ToolSpec as Described;
use crate::builtin::{self, Builtins};
use crate::cache::Cache;
use crate::compile::{Compiler, Source};
use crate::data::DataRuntime;
use crate::engine::Room;
use crate::guest::{Guest, NoAgent};
use crate::lane::Lane;
use crate::limiter::Shape;
use crate::net::{NameResolver, Network, SystemResolver, Tls};
use crate::run::Instance;
use crate::script::Runtimes;
use crate::state::{Setting, State, Streams};
use crate::{
    CallOutcome, CallRequest, Courier, Grants, Language, Limits, RuntimeError, SandboxConfig, SandboxError,
    ScriptOutcome, ScriptRequest, ToolFailure, ToolHost, ToolSpec, component, engine, files, outcome,
};

/// Where in the cache folder the compiled code of uploads is.
const UPLOADS: &str = "uploads";

/// The first few of some names that a component chose, each of bounded length.
fn shown<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const NAMES: usize = 8;
    const LENGTH: usize = 200;
    let names: Vec<String> = names.take(NAMES).map(|name| name.chars().take(LENGTH).collect()).collect();
    names.join("`, `")
}

/// Runs tools. Clones share the engines, the pools of instances and the cache of compiled code.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    config: SandboxConfig,
    lane: Lane,
    linker: Linker<State>,
    compiler: Compiler,
    /// The same for the largest guest by far, which takes as long to compile as a runtime. It has its own place to
    /// compile in, so that at a first start the built-in tools do not wait for it, and run out of their time.
    largest: Compiler,
    /// Compiles what users upload, into a cache of its own that is kept small.
    uploads: Compiler,
    network: Arc<Network>,
    runtimes: Runtimes,
    data: DataRuntime,
    scratch: PathBuf,
    builtins: OnceCell<Arc<Builtins>>,
    typescript: OnceCell<Guest>,
    documents: OnceCell<Guest>,
}

impl Sandbox {
    /// Sets up the engine and opens the cache folder. Takes a few milliseconds; no code is loaded.
    ///
    /// # Errors
    /// When the engine or the cache folder cannot be used.
    pub fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        Self::with_resolver(config, Arc::new(SystemResolver))
    }

    /// The same, with names of hosts looked up in another way.
    ///
    /// # Errors
    /// When the engine or the cache folder cannot be used.
    pub fn with_resolver(config: SandboxConfig, resolver: Arc<dyn NameResolver>) -> Result<Self, SandboxError> {
        let room = Room {
            calls: config.max_instances,
            shape: Shape::TOOL,
            memory_bytes: config.max_memory_bytes,
            warm_bytes: 512 << 10,
        };
        let engine = engine::build(room)?;
        let linker = engine::linker(&engine)?;
        let cache = config.cache_dir.as_ref().map(|folder| Cache::open(folder, &engine)).transpose()?;
        let compiler = Compiler::new(&engine, cache, &config, config.compile_timeout, config.compile_memory_bytes);
        let cache = config.cache_dir.as_ref().map(|folder| Cache::open(folder, &engine)).transpose()?;
        let largest =
            Compiler::new(&engine, cache, &config, config.runtime_compile_timeout, config.compile_memory_bytes);
        let folder = config.cache_dir.as_ref().map(|folder| folder.join(UPLOADS));
        let cache = folder.map(|folder| Cache::open(&folder, &engine)).transpose()?;
        let cache = cache.map(|cache| cache.bounded(config.max_uploads_cache_bytes));
        let uploads = Compiler::new(&engine, cache, &config, config.compile_timeout, config.compile_memory_bytes);
        let lane = Lane::new(engine, room)?;
        let (private_hosts, own_port) = (config.private_hosts.clone(), config.own_port);
        let network = Arc::new(Network { resolver, private_hosts, own_port, tls: Tls::default() });
        let (runtimes, data) = (Runtimes::new(&config), DataRuntime::new(&config, &network));
        let scratch = config.scratch_dir();
        files::sweep(&scratch);
        let (builtins, typescript, documents) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                lane,
                linker,
                compiler,
                largest,
                uploads,
                network,
                runtimes,
                data,
                scratch,
                builtins,
                typescript,
                documents,
            }),
        })
    }

    /// Checks, compiles (or takes from the cache), links and describes a component.
    ///
    /// Compilation happens off the async threads, a few at a time, and may take seconds for a
    /// large component that is not in the cache yet.
    ///
    /// # Errors
    /// For what is no component, no tool, too large or too much work.
    pub async fn load(&self, wasm: &[u8]) -> Result<Guest, SandboxError> {
        self.load_with(&self.shared.compiler, wasm).await
    }

    /// The same for a component that a user uploaded: what is compiled of those is kept apart, and only so much of it.
    ///
    /// # Errors
    /// As [`Sandbox::load`].
    pub async fn load_upload(&self, wasm: &[u8]) -> Result<Guest, SandboxError> {
        self.load_with(&self.shared.uploads, wasm).await
    }

    /// The version of the interfaces that tools of this server are built for.
    pub const WIT_VERSION: &'static str = component::VERSION;

    /// The largest component that is accepted, in bytes.
    pub fn max_component_bytes(&self) -> usize {
        self.shared.config.max_component_bytes
    }

    async fn load_with(&self, compiler: &Compiler, wasm: &[u8]) -> Result<Guest, SandboxError> {
        component::check(wasm, self.shared.config.max_component_bytes)?;
        self.load_from(compiler, Source::Bytes(wasm)).await
    }

    async fn load_from(&self, compiler: &Compiler, source: Source<'_>) -> Result<Guest, SandboxError> {
        let component = compiler.compile(source).await?;
        self.check_imports(&component)?;
        self.check_version(&component)?;
        let wrong = |error: wasmtime::Error| SandboxError::WrongWorld(format!("{error:#}"));
        let pre = self.shared.linker.instantiate_pre(&component);
        let pre = ToolPre::new(pre.map_err(wrong)?).map_err(wrong)?;
        let described = self.describe(&pre).await.map_err(|failure| match failure {
            ToolFailure::Internal(reason) => SandboxError::WrongWorld(reason),
            other => SandboxError::BadSpec(other.to_string()),
        })?;
        let kind = component.component_type();
        let imports = kind.imports(self.shared.lane.engine()).map(|(name, _)| name.to_owned()).collect();
        Guest::new(pre, described, imports)
    }

    fn check_imports(&self, component: &Component) -> Result<(), SandboxError> {
        let kind = component.component_type();
        let unknown =
            kind.imports(self.shared.lane.engine()).map(|(name, _)| name).filter(|name| !engine::offers(name));
        match shown(unknown) {
            names if names.is_empty() => Ok(()),
            names => Err(SandboxError::UnknownImport(names)),
        }
    }

    /// Tells a tool for another version of the interfaces from what is no tool at all.
    fn check_version(&self, component: &Component) -> Result<(), SandboxError> {
        let kind = component.component_type();
        let mut exports = kind.exports(self.shared.lane.engine()).map(|(name, _)| name);
        let versions: Vec<&str> = exports.by_ref().filter_map(|name| name.strip_prefix(component::GUEST)).collect();
        if versions.contains(&component::VERSION) {
            return Ok(());
        }
        let reason = match shown(versions.into_iter()) {
            none if none.is_empty() => {
                let wanted = format!("{}{}", component::GUEST, component::VERSION);
                format!("it does not export `{wanted}`; build it with the tool SDK or for the world `mneme:tool/tool`")
            }
            other => {
                format!("it is built for version {other} of mneme:tool, and this server runs {}", component::VERSION)
            }
        };
        Err(SandboxError::WrongWorld(reason))
    }

    async fn describe(&self, pre: &ToolPre<State>) -> Result<Vec<Described>, ToolFailure> {
        let limits = Limits {
            cpu: Duration::from_secs(1),
            wall: Duration::from_secs(10),
            memory_bytes: self.shared.config.max_memory_bytes,
            ..Limits::default()
        };
        let nothing = Grants { capabilities: Vec::new(), ..Grants::default() };
        let (streams, deadline) = (Streams::new(&limits), Instant::now() + limits.wall);
        let (host, lane) = (Arc::new(NoAgent), &self.shared.lane);
        let setting = Setting {
            host,
            grants: nothing,
            limits: &limits,
            env: &[],
            streams: &streams,
            shape: lane.shape(),
            deadline,
            scratch: &self.shared.scratch,
            temporary: false,
        };
        let state = State::new(&self.shared.network, setting)?;
        lane.within(&limits, deadline, async {
            Instance::start(lane.engine(), pre, state, &limits, &streams).await?.describe().await
        })
        .await
    }

    /// The built-in tools. The first call loads them: milliseconds from a warm cache, otherwise
    /// they are compiled.
    ///
    /// # Errors
    /// When they cannot be compiled.
    pub async fn builtin(&self) -> Result<Arc<Builtins>, SandboxError> {
        let loaded = self.shared.builtins.get_or_try_init(|| async {
            let mut guests = Vec::new();
            for &guest in builtin::GUESTS {
                guests.push(self.load_from(&self.shared.compiler, Source::Embedded(guest)).await?);
            }
            Ok(Arc::new(Builtins::new(guests)?))
        });
        Ok(Arc::clone(loaded.await?))
    }

    /// The guest that reads TypeScript and JavaScript, loaded like the built-in tools. It is no tool of agents.
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub async fn typescript(&self) -> Result<Guest, SandboxError> {
        let load = || self.load_from(&self.shared.compiler, Source::Embedded(builtin::TYPESCRIPT));
        self.shared.typescript.get_or_try_init(load).await.cloned()
    }

    /// The guest that reads documents, loaded like the built-in tools. It is no tool of agents.
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub async fn documents(&self) -> Result<Guest, SandboxError> {
        let load = || self.load_from(&self.shared.largest, Source::Embedded(builtin::DOCUMENTS));
        self.shared.documents.get_or_try_init(load).await.cloned()
    }

    /// The guests' way to the network, for code that runs elsewhere but under the same policies.
    pub fn courier(&self, host: Arc<dyn ToolHost>, grants: &Grants, left: Duration) -> Courier {
        Courier::new(Arc::clone(&self.shared.network), host, grants, left)
    }

    /// Calls one tool of a guest, in an instance of its own.
    pub async fn call(&self, guest: &Guest, request: CallRequest) -> CallOutcome {
        let start = Instant::now();
        let lane = &self.shared.lane;
        let limits = lane.capped(request.limits.clone());
        let streams = Streams::new(&limits);
        let result = match guest.tool(&request.tool) {
            None => Err(ToolFailure::InvalidArguments(format!("there is no tool called `{}`", request.tool))),
            Some(spec) => self.run_tool(guest, spec, request, &limits, &streams, start + limits.wall).await,
        };
        outcome::of_call(result, &limits, &streams, start)
    }

    async fn run_tool(
        &self,
        guest: &Guest,
        spec: &ToolSpec,
        request: CallRequest,
        limits: &Limits,
        streams: &Streams,
        deadline: Instant,
    ) -> Result<String, ToolFailure> {
        let lane = &self.shared.lane;
        let CallRequest { tool, arguments, host, mut grants, env, .. } = request;
        // A tool has what it declared, as far as it was granted.
        grants.capabilities.retain(|granted| spec.capabilities.contains(granted));
        let setting = Setting {
            host,
            grants,
            limits,
            env: &env,
            streams,
            shape: lane.shape(),
            deadline,
            scratch: &self.shared.scratch,
            temporary: false,
        };
        let state = State::new(&self.shared.network, setting)?;
        lane.within(limits, deadline, async {
            let mut instance = Instance::start(lane.engine(), guest.pre(), state, limits, streams).await?;
            instance.call(&tool, &arguments).await
        })
        .await
    }

    /// Runs a program in a fresh instance of its language's runtime.
    ///
    /// # Errors
    /// When there is no such runtime, or it is not ready within the call's wall-clock limit.
    pub async fn run_script(&self, language: Language, request: ScriptRequest) -> Result<ScriptOutcome, RuntimeError> {
        if language == Language::PythonData {
            return self.shared.data.run(request).await;
        }
        let ScriptRequest { program, host, limits, grants } = request;
        let (runtime, start) = (self.shared.runtimes.get(language, limits.wall).await?, Instant::now());
        let lane = &runtime.lane;
        let limits = lane.capped(limits);
        let (streams, deadline) = (Streams::new(&limits), start + limits.wall);
        let work = async {
            let setting = Setting {
                host,
                grants,
                limits: &limits,
                env: &program.env,
                streams: &streams,
                shape: lane.shape(),
                deadline,
                scratch: &self.shared.scratch,
                // The other language has files of its own making.
                temporary: language == Language::Python,
            };
            let state = State::new(&self.shared.network, setting)?;
            let mut instance = Instance::start(lane.engine(), &runtime.component, state, &limits, &streams).await?;
            instance.run(&program.into()).await
        };
        let answer = lane.within(&limits, deadline, work).await;
        Ok(outcome::of_script(answer, &limits, &streams, start))
    }

    /// Whether the runtime of a language is installed.
    pub fn has_runtime(&self, language: Language) -> bool {
        match language {
            Language::PythonData => self.shared.data.installed(),
            Language::Python | Language::JavaScript => self.shared.runtimes.installed(language),
        }
    }

    /// Loads the runtime of a language, compiling it first if need be, for as long as that takes. For a task in the
    /// background: the first call that needs the runtime then finds it ready.
    ///
    /// # Errors
    /// When there is no such runtime or it does not work.
    pub async fn warm_up(&self, language: Language) -> Result<(), RuntimeError> {
        let patience = self.shared.config.runtime_compile_timeout.saturating_mul(2);
        match language {
            Language::PythonData => self.shared.data.warm_up(patience).await,
            Language::Python | Language::JavaScript => self.shared.runtimes.get(language, patience).await.map(drop),
        }
    }

    /// Loads the runtimes that were in use before, for a task in the background at a start: the first call of a program then
    /// need not wait for them. What was never compiled here is left alone.
    ///
    /// # Errors
    /// When a runtime does not work.
    pub async fn reload_runtimes(&self) -> Result<(), RuntimeError> {
        let Shared { config, runtimes, compiler, .. } = &*self.shared;
        for language in Language::ALL {
            // Compiled runtimes lie beside compiled tools, under the name of the same settings: that programs in a language have
            // run here before is known without an engine of its own.
            if runtimes.installed_hash(language).is_some_and(|hash| compiler.knows(hash)) {
                runtimes.get(language, config.runtime_compile_timeout).await?;
            }
        }
        Ok(())
    }

    /// Finishes the installation of the data runtime, which must be loaded: what it compiles of our own Python is kept.
    ///
    /// # Errors
    /// When it does not work.
    pub async fn settle_data(&self) -> Result<(), RuntimeError> {
        self.shared.data.settle(self.shared.config.runtime_compile_timeout).await
    }
}
