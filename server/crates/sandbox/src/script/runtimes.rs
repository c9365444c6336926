//! The language runtimes: an engine of their own, each runtime loaded when it is first needed.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use wasmtime::Engine;
use wasmtime::component::Linker;

use super::{Language, RuntimeError};
use crate::bindings::script::RuntimePre;
use crate::cache::Cache;
use crate::compile::{Compiler, Source};
use crate::engine::{self, Room};
use crate::lane::Lane;
use crate::limiter::Shape;
use crate::state::State;
use crate::turns::Turns;
use crate::{SandboxConfig, SandboxError};

/// The runtimes of a sandbox. Clones share them.
#[derive(Clone)]
pub struct Runtimes {
    inner: Arc<Inner>,
}

struct Inner {
    config: SandboxConfig,
    unpacked: OnceCell<()>,
    base: OnceCell<Base>,
    loaded: HashMap<Language, Cell>,
}

/// A runtime, once it is loaded.
type Cell = Arc<OnceCell<Arc<RuntimePre<State>>>>;

/// What all runtimes share. It is set up with the first of them: a server without programs does without it.
struct Base {
    lane: Lane,
    linker: Linker<State>,
    compiler: Compiler,
}

impl Runtimes {
    /// Those of [`Language::ALL`] in [`SandboxConfig::runtimes_dir`]; none is loaded yet.
    pub fn new(config: &SandboxConfig) -> Self {
        let inner = Inner {
            config: config.clone(),
            unpacked: OnceCell::new(),
            base: OnceCell::new(),
            loaded: Language::ALL.into_iter().map(|language| (language, Cell::default())).collect(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Whether a runtime is installed.
    pub fn installed(&self, language: Language) -> bool {
        self.path(language).is_some_and(|path| path.is_file())
    }

    /// A runtime, loaded. Waits for at most `patience`; loading goes on when that is over.
    ///
    /// # Errors
    /// When it is not there, not ready or not usable.
    pub async fn get(&self, language: Language, patience: Duration) -> Result<Arc<RuntimePre<State>>, RuntimeError> {
        let name = language.name();
        let cell = self.inner.loaded.get(&language).cloned().ok_or(RuntimeError::Missing(name))?;
        if let Some(ready) = cell.get() {
            return Ok(Arc::clone(ready));
        }
        self.unpack().await.map_err(|reason| RuntimeError::Unusable { name, reason })?;
        let path = self.path(language).filter(|path| path.is_file()).ok_or(RuntimeError::Missing(name))?;
        let runtimes = self.clone();
        let loading = tokio::spawn(async move {
            let load = || async { runtimes.load(language, path).await.map(Arc::new) };
            cell.get_or_try_init(load).await.cloned()
        });
        match tokio::time::timeout(patience, loading).await {
            Ok(Ok(Ok(runtime))) => Ok(runtime),
            Ok(Ok(Err(reason))) => Err(RuntimeError::Unusable { name, reason }),
            Ok(Err(lost)) => Err(RuntimeError::Unusable { name, reason: SandboxError::Setup(lost.to_string()) }),
            Err(_) => Err(RuntimeError::Preparing(name)),
        }
    }

    /// Loads a runtime whose compiled code is there, which says that programs in its language have run here before.
    ///
    /// # Errors
    /// As [`Runtimes::get`].
    pub async fn reload(&self, language: Language, patience: Duration) -> Result<(), RuntimeError> {
        let name = language.name();
        let Some(hash) = self.known_hash(language).filter(|_| self.installed(language)) else { return Ok(()) };
        let base = self.base().await.map_err(|reason| RuntimeError::Unusable { name, reason })?;
        if base.compiler.knows(hash) { self.get(language, patience).await.map(drop) } else { Ok(()) }
    }

    async fn base(&self) -> Result<&Base, SandboxError> {
        self.inner.base.get_or_try_init(|| async { Base::new(&self.inner.config) }).await
    }

    async fn unpack(&self) -> Result<(), SandboxError> {
        let (Some(unpack), Some(folder)) = (self.inner.config.unpack_runtimes, self.inner.config.runtimes_dir.clone())
        else {
            return Ok(());
        };
        let unpacking = || async {
            let done = tokio::task::spawn_blocking(move || unpack(&folder)).await;
            let failed = |error: &dyn std::fmt::Display| SandboxError::Setup(format!("the runtimes: {error}"));
            done.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
        };
        self.inner.unpacked.get_or_try_init(unpacking).await.copied()
    }

    /// Where programs run. There is one as soon as a runtime was loaded.
    pub fn lane(&self) -> Option<&Lane> {
        self.inner.base.get().map(|base| &base.lane)
    }

    fn path(&self, language: Language) -> Option<PathBuf> {
        let folder = self.inner.config.runtimes_dir.as_ref()?;
        Some(folder.join(format!("{}.wasm", language.name())))
    }

    /// The hash that a runtime has if nobody changed it.
    fn known_hash(&self, language: Language) -> Option<[u8; 32]> {
        self.inner.config.runtime_hash.and_then(|hash| hash(language.name()))
    }

    async fn load(&self, language: Language, path: PathBuf) -> Result<RuntimePre<State>, SandboxError> {
        let base = self.base().await?;
        let known = match self.known_hash(language) {
            Some(hash) => base.compiler.cached(hash).await?,
            None => None,
        };
        let component = match known {
            Some(component) => component,
            None => base.compiler.compile(Source::File(&path)).await?,
        };
        let wrong = |error: wasmtime::Error| SandboxError::WrongWorld(format!("{error:#}"));
        RuntimePre::new(base.linker.instantiate_pre(&component).map_err(wrong)?).map_err(wrong)
    }
}

impl Base {
    fn new(config: &SandboxConfig) -> Result<Self, SandboxError> {
        let room = Room {
            calls: config.max_scripts,
            shape: Shape::RUNTIME,
            memory_bytes: config.max_script_memory_bytes,
            warm_bytes: 2 << 20,
        };
        let engine: Engine = engine::build(room)?;
        let cache = config.cache_dir.as_ref().map(|folder| Cache::open(folder, &engine)).transpose()?;
        let compiler =
            Compiler::new(&engine, cache, config, config.runtime_compile_timeout, config.runtime_compile_memory_bytes);
        Ok(Self {
            linker: engine::linker(&engine)?,
            lane: Lane::new(engine, room)?.with_turns(Turns::for_this_machine()),
            compiler,
        })
    }
}
