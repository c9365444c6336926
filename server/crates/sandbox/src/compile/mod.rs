//! Compiling components off the request path, a few at a time, each only once.
//!
//! A compiler needs many times the memory of what it compiles and never gives it back, and it works on bytes that
//! anybody may have uploaded. So it runs in a process of its own, under limits, and hands its result over through
//! the cache folder; inside this process only when there is no such process to run.

mod child;
mod worker;

use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::builtin::Embedded;
use crate::cache::{self, Artefact, Cache, ContentHash};
use crate::{SandboxConfig, SandboxError};
use child::Child;

pub use worker::CompileJob;

/// What is to be compiled.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// The bytes of a component.
    Bytes(&'a [u8]),
    /// A component of the server's own, whose hash is known without reading it.
    Embedded(Embedded),
    /// A file with a component that is too large to be held in memory for long.
    File(&'a Path),
}

/// Compiles, or takes compiled code from the cache.
pub struct Compiler<A = Component> {
    artefact: PhantomData<fn() -> A>,
    engine: Engine,
    cache: Option<Arc<Cache>>,
    places: Arc<Semaphore>,
    timeout: Duration,
    child: Option<Child>,
}

impl<A: Artefact> Compiler<A> {
    /// A compiler for an engine, with a cache or without. `memory_bytes` is for the process that compiles.
    pub fn new(
        engine: &Engine,
        cache: Option<Cache>,
        config: &SandboxConfig,
        timeout: Duration,
        memory_bytes: u64,
    ) -> Self {
        let cache = cache.map(Arc::new);
        // Without a cache there is no way to hand the result over.
        let child = config.compiler.as_ref().zip(cache.as_ref()).map(|(program, cache)| Child {
            program: program.clone(),
            cache_dir: cache.root().to_owned(),
            memory_bytes,
            timeout,
            kind: A::KIND,
        });
        let places = Arc::new(Semaphore::new(config.max_compilations.max(1)));
        Self { artefact: PhantomData, engine: engine.clone(), cache, places, timeout, child }
    }

    /// The compiled code.
    pub async fn compile(&self, source: Source<'_>) -> Result<A, SandboxError> {
        let hash = match source {
            Source::Bytes(wasm) => cache::content_hash(wasm),
            Source::Embedded(guest) => guest.hash,
            Source::File(path) => {
                let path = path.to_owned();
                blocking(move || cache::file_hash(&path).map_err(|error| unreadable(&path, &error))).await?
            }
        };
        if let Some(component) = self.cached(hash).await? {
            return Ok(component);
        }
        let work = async {
            let place = Arc::clone(&self.places).acquire_owned().await;
            let place = place.map_err(|error| SandboxError::Setup(error.to_string()))?;
            // Whoever held the place before may have compiled the same component.
            if let Some(component) = self.cached(hash).await? {
                return Ok(component);
            }
            if let Some(child) = &self.child
                && child.compile(source).await?
                && let Some(component) = self.cached(hash).await?
            {
                return Ok(component);
            }
            let wasm = match source {
                Source::Bytes(wasm) | Source::Embedded(Embedded { wasm, .. }) => wasm.to_vec(),
                Source::File(path) => tokio::fs::read(path).await.map_err(|error| unreadable(path, &error))?,
            };
            let (cache, engine) = (self.cache.clone(), self.engine.clone());
            blocking(move || {
                // A compilation cannot be stopped: it keeps its place even when nobody waits any more.
                let _place = place;
                let component: A = from_binary(&engine, &wasm).map_err(SandboxError::Compile)?;
                if let Some(cache) = &cache
                    && let Err(error) = cache.store(&component, &hash)
                {
                    tracing::warn!(error, "cannot keep a compiled tool");
                }
                Ok(component)
            })
            .await
        };
        tokio::time::timeout(self.timeout, work).await.unwrap_or(Err(SandboxError::CompileTimeout(self.timeout)))
    }

    /// Whether there is compiled code of a known hash. It may still turn out to be unusable.
    pub fn knows(&self, hash: ContentHash) -> bool {
        self.cache.as_ref().is_some_and(|cache| cache.has(&hash))
    }

    /// The compiled code of a known hash, if it is in the cache.
    pub async fn cached(&self, hash: ContentHash) -> Result<Option<A>, SandboxError> {
        let Some(cache) = self.cache.clone() else { return Ok(None) };
        let engine = self.engine.clone();
        blocking(move || Ok(cache.load(&engine, &hash))).await
    }
}

fn from_binary<A: Artefact>(engine: &Engine, wasm: &[u8]) -> Result<A, String> {
    A::compile(engine, wasm).map_err(|error| shortened(&format!("{error:#}")))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SandboxError> + Send + 'static,
) -> Result<T, SandboxError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(SandboxError::Compile(error.to_string())),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> SandboxError {
    SandboxError::Setup(format!("{}: {error}", PathBuf::from(path).display()))
}

/// An error message of bounded length: the compiler quotes from the component.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 300;
    text.chars().take(SHOWN).collect()
}
