//! The language runtimes: each with an engine of its own, loaded when it is first needed.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore};
use wasmtime::Engine;

use super::{Language, RuntimeError};
use crate::bindings::script::RuntimePre;
use crate::cache::{Cache, ContentHash};
use crate::compile::{Compiler, Source};
use crate::engine::{self, Room};
use crate::lane::Lane;
use crate::limiter::Shape;
use crate::memory::{Image, Memories, Stacks};
use crate::state::State;
use crate::{SandboxConfig, SandboxError};

/// What a free memory of a runtime keeps of its last program's pages, in bytes: they are written over with the next one's.
const WARM: usize = 4 << 20;

/// The runtimes of a sandbox. Clones share them.
#[derive(Clone)]
pub struct Runtimes {
    inner: Arc<Inner>,
}

struct Inner {
    config: SandboxConfig,
    unpacked: OnceCell<()>,
    loaded: HashMap<Language, Cell>,
    /// One permit for each program that there is room for, in whatever language.
    places: Arc<Semaphore>,
}

/// A runtime, once it is loaded.
type Cell = Arc<OnceCell<Arc<Loaded>>>;

/// A runtime that is ready.
pub struct Loaded {
    /// Its component, linked.
    pub component: RuntimePre<State>,
    /// Where its programs run.
    pub lane: Lane,
}

impl Runtimes {
    /// Those of [`Language::ALL`] in [`SandboxConfig::runtimes_dir`]; none is loaded yet.
    pub fn new(config: &SandboxConfig) -> Self {
        let inner = Inner {
            config: config.clone(),
            unpacked: OnceCell::new(),
            loaded: Language::ALL.into_iter().map(|language| (language, Cell::default())).collect(),
            places: Arc::new(Semaphore::new(config.max_scripts.max(1) as usize)),
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
    pub async fn get(&self, language: Language, patience: Duration) -> Result<Arc<Loaded>, RuntimeError> {
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

    /// By which hash the compiled code of a runtime is known, if it is installed.
    pub fn installed_hash(&self, language: Language) -> Option<ContentHash> {
        self.known_hash(language).filter(|_| self.installed(language))
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

    fn path(&self, language: Language) -> Option<PathBuf> {
        let folder = self.inner.config.runtimes_dir.as_ref()?;
        Some(folder.join(format!("{}.wasm", language.name())))
    }

    /// The hash that a runtime has if nobody changed it.
    fn known_hash(&self, language: Language) -> Option<ContentHash> {
        self.inner.config.runtime_hash.and_then(|hash| hash(language.name()))
    }

    async fn load(&self, language: Language, path: PathBuf) -> Result<Loaded, SandboxError> {
        let config = &self.inner.config;
        let room = Room {
            calls: config.max_scripts,
            shape: Shape::RUNTIME,
            memory_bytes: config.max_script_memory_bytes,
            warm_bytes: WARM,
        };
        let unreadable = |error: std::io::Error| SandboxError::Setup(format!("{}: {error}", path.display()));
        let image = Image::of(&path).map_err(unreadable)?;
        let kept = config.max_scripts.max(1) as usize;
        let engine = engine::for_runtime(Memories::new(image, kept, room.warm_bytes), Stacks::new(kept))?;
        let compiler = compiler(&engine, config)?;
        let known = match self.known_hash(language) {
            Some(hash) => compiler.cached(hash).await?,
            None => None,
        };
        let component = match known {
            Some(component) => component,
            None => compiler.compile(Source::File(&path)).await?,
        };
        let wrong = |error: wasmtime::Error| SandboxError::WrongWorld(format!("{error:#}"));
        let linked = engine::linker(&engine)?.instantiate_pre(&component).map_err(wrong)?;
        let component = RuntimePre::new(linked).map_err(wrong)?;
        let lane = Lane::new(engine, room)?.shared(Arc::clone(&self.inner.places));
        Ok(Loaded { component, lane })
    }
}

/// Compiled runtimes are kept in the same folder as compiled tools.
fn compiler(engine: &Engine, config: &SandboxConfig) -> Result<Compiler, SandboxError> {
    let cache = config.cache_dir.as_ref().map(|folder| Cache::open(folder, engine)).transpose()?;
    let (timeout, memory) = (config.runtime_compile_timeout, config.runtime_compile_memory_bytes);
    Ok(Compiler::new(engine, cache, config, timeout, memory))
}
