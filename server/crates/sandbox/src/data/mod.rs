//! The runtime for data science: a CPython with numpy, pandas, scipy, scikit-learn and matplotlib compiled in. It is a
//! core module of WASI 0.1 that throws WebAssembly's exceptions, so it has an engine of its own; its limits, its network
//! and its files are those of every program.
//!
//! The module imports one function beside WASI, `host.call`: a message in, a message out (see `door`). Our own Python,
//! which asks for the program, runs it and tells what came of it, lies beside it.

mod door;
mod run;
mod state;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::Instant;
use wasmtime::{InstancePre, Linker, Module};
use wasmtime_wasi::FsPerms;

use crate::cache::Cache;
use crate::call::Mount;
use crate::compile::{Compiler, Source};
use crate::engine::{self, Room};
use crate::lane::Lane;
use crate::limiter::Shape;
use crate::net::Network;
use crate::outcome;
use crate::state::Streams;
use crate::{
    Action, Grants, Language, Limits, NoAgent, Program, RuntimeError, SandboxConfig, SandboxError, ScriptOutcome,
    ScriptRequest,
};
use state::{Setting, State};

/// Programs that run at the same time: each may take hundreds of megabytes.
const MAX_PROGRAMS: u32 = 4;
/// The most memory that any of them can be given, in bytes.
const MAX_MEMORY: usize = 2 << 30;

/// The files of an installed runtime, below its folder.
pub mod layout {
    /// The module.
    pub const MODULE: &str = "python.wasm";
    /// The folder with the standard library and the packages, as one archive.
    pub const LIBRARY: &str = "lib";
    /// The archive's name.
    pub const ARCHIVE: &str = "python315.zip";
    /// matplotlib's data, which it wants as files.
    pub const PLOT_DATA: &str = "mpl-data";
    /// Our own Python.
    pub const OWN: &str = "own";
    /// Written last: everything else is there.
    pub const COMPLETE: &str = "complete";
}

/// Where the guest finds its library, and our own Python.
const LIBRARY_AT: &str = "/usr/local/lib";
const OWN_AT: &str = "/usr/local/mneme";

/// The runtime, loaded when it is first needed. Clones share it.
#[derive(Clone)]
pub struct DataRuntime {
    inner: Arc<Inner>,
}

struct Inner {
    config: SandboxConfig,
    network: Arc<Network>,
    loaded: OnceCell<Arc<Loaded>>,
}

struct Loaded {
    lane: Lane,
    module: InstancePre<State>,
    /// What every program can read.
    mounts: Vec<Mount>,
    /// Our own Python.
    own: Mount,
}

impl DataRuntime {
    /// The runtime in [`SandboxConfig::runtimes_dir`]; it is not loaded yet.
    pub fn new(config: &SandboxConfig, network: &Arc<Network>) -> Self {
        let inner = Inner { config: config.clone(), network: Arc::clone(network), loaded: OnceCell::new() };
        Self { inner: Arc::new(inner) }
    }

    /// Where it is, or has to be put.
    pub fn folder(&self) -> Option<PathBuf> {
        Some(self.inner.config.runtimes_dir.as_ref()?.join(Language::PythonData.name()))
    }

    /// Whether it is installed.
    pub fn installed(&self) -> bool {
        self.folder().is_some_and(|folder| folder.join(layout::COMPLETE).is_file())
    }

    /// Loads it, compiling it first if need be. Waits for at most `patience`; loading goes on when that is over.
    ///
    /// # Errors
    /// When it is not there, not ready or not usable.
    pub async fn warm_up(&self, patience: Duration) -> Result<(), RuntimeError> {
        self.get(patience).await.map(drop)
    }

    async fn get(&self, patience: Duration) -> Result<Arc<Loaded>, RuntimeError> {
        let name = Language::PythonData.name();
        if let Some(loaded) = self.inner.loaded.get() {
            return Ok(Arc::clone(loaded));
        }
        let folder = self.folder().filter(|_| self.installed()).ok_or(RuntimeError::Missing(name))?;
        let this = self.clone();
        let loading = tokio::spawn(async move {
            let load = || async { this.load(&folder).await.map(Arc::new) };
            this.inner.loaded.get_or_try_init(load).await.cloned()
        });
        match tokio::time::timeout(patience, loading).await {
            Ok(Ok(Ok(loaded))) => Ok(loaded),
            Ok(Ok(Err(reason))) => Err(RuntimeError::Unusable { name, reason }),
            Ok(Err(lost)) => Err(RuntimeError::Unusable { name, reason: SandboxError::Setup(lost.to_string()) }),
            Err(_) => Err(RuntimeError::Preparing(name)),
        }
    }

    async fn load(&self, folder: &Path) -> Result<Loaded, SandboxError> {
        let config = &self.inner.config;
        let engine = engine::for_modules()?;
        let cache = config.cache_dir.as_ref().map(|folder| Cache::open(folder, &engine)).transpose()?;
        let (time, memory) = (config.runtime_compile_timeout, config.runtime_compile_memory_bytes);
        let compiler: Compiler<Module> = Compiler::new(&engine, cache, config, time, memory);
        let module = compiler.compile(Source::File(&folder.join(layout::MODULE))).await?;
        let wrong = |error: wasmtime::Error| SandboxError::WrongWorld(format!("{error:#}"));
        let mut linker: Linker<State> = Linker::new(&engine);
        state::add_to_linker(&mut linker).map_err(wrong)?;
        let module = linker.instantiate_pre(&module).map_err(wrong)?;
        let room = Room { calls: MAX_PROGRAMS, shape: Shape::RUNTIME, memory_bytes: MAX_MEMORY, warm_bytes: 0 };
        let mount = |name: &str, at: String| Mount { from: folder.join(name), at };
        let mounts = vec![
            mount(layout::LIBRARY, LIBRARY_AT.to_owned()),
            mount(layout::PLOT_DATA, format!("{LIBRARY_AT}/{}/matplotlib/mpl-data", layout::ARCHIVE)),
        ];
        let own = mount(layout::OWN, OWN_AT.to_owned());
        Ok(Loaded { lane: Lane::new(engine, room)?, module, mounts, own })
    }

    /// Runs a program in a fresh instance.
    ///
    /// # Errors
    /// When the runtime is not there, or not ready within the call's wall-clock limit.
    pub async fn run(&self, request: ScriptRequest) -> Result<ScriptOutcome, RuntimeError> {
        let loaded = self.get(request.limits.wall).await?;
        Ok(self.run_in(&loaded, request, FsPerms::ReadOnly).await)
    }

    /// Has the runtime compile our own Python once, so that no program does it again. For the time of installing: no
    /// other program may run.
    ///
    /// # Errors
    /// When the runtime is not usable.
    pub async fn settle(&self, patience: Duration) -> Result<(), RuntimeError> {
        const COMPILE: &str = "import compileall, py_compile\nunchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH\n\
                               compileall.compile_dir('/usr/local/mneme', quiet=1, invalidation_mode=unchecked)";
        let (loaded, name) = (self.get(patience).await?, Language::PythonData.name());
        let minutes = Duration::from_secs(300);
        let limits = Limits { memory_bytes: 1 << 30, cpu: minutes, wall: minutes, ..Limits::default() };
        let program = Program {
            source: COMPILE.to_owned(),
            filename: "settle.py".to_owned(),
            action: Action::Evaluate,
            env: Vec::new(),
            agent_state: None,
        };
        let grants = Grants { capabilities: Vec::new(), ..Grants::default() };
        let request = ScriptRequest { program, host: Arc::new(NoAgent), limits, grants };
        match self.run_in(&loaded, request, FsPerms::ReadWrite).await.result {
            Ok(_) => Ok(()),
            Err(failure) => {
                Err(RuntimeError::Unusable { name, reason: SandboxError::Setup(format!("its first run: {failure}")) })
            }
        }
    }

    async fn run_in(&self, loaded: &Loaded, request: ScriptRequest, own: FsPerms) -> ScriptOutcome {
        let ScriptRequest { program, host, limits, grants } = request;
        let start = Instant::now();
        let limits = loaded.lane.capped(limits);
        let (streams, deadline) = (Streams::new(&limits), start + limits.wall);
        let network = Arc::clone(&self.inner.network);
        let scratch = self.inner.config.scratch_dir();
        let (limits, streams) = (&limits, &streams);
        let setting = Setting {
            network,
            host,
            grants,
            limits,
            streams,
            deadline,
            scratch: &scratch,
            program,
            mounts: &loaded.mounts,
            own: (&loaded.own, own),
        };
        let work =
            async { run::program(loaded.lane.engine(), &loaded.module, State::new(setting)?, limits, streams).await };
        let answer = loaded.lane.within(limits, deadline, work).await;
        outcome::of_script(answer, limits, streams, start)
    }
}
