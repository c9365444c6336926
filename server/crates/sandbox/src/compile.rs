//! Compiling components off the request path, a few at a time, each only once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cache::{self, Cache};
use crate::{SandboxConfig, SandboxError};

/// Compiles, or takes compiled code from the cache.
pub struct Compiler {
    engine: Engine,
    cache: Option<Arc<Cache>>,
    places: Arc<Semaphore>,
    timeout: Duration,
}

impl Compiler {
    /// A compiler for an engine, with a cache or without.
    pub fn new(engine: &Engine, cache: Option<Cache>, config: &SandboxConfig) -> Self {
        Self {
            engine: engine.clone(),
            cache: cache.map(Arc::new),
            places: Arc::new(Semaphore::new(config.max_compilations.max(1))),
            timeout: config.compile_timeout,
        }
    }

    /// The compiled component.
    pub async fn compile(&self, wasm: &[u8]) -> Result<Component, SandboxError> {
        let hash = cache::content_hash(wasm);
        if let Some(cache) = &self.cache {
            let (cache, engine) = (Arc::clone(cache), self.engine.clone());
            let cached = blocking(move || Ok(cache.load(&engine, &hash))).await?;
            if let Some(component) = cached {
                return Ok(component);
            }
        }
        let work = async {
            let place = Arc::clone(&self.places).acquire_owned().await;
            let place = place.map_err(|error| SandboxError::Setup(error.to_string()))?;
            let (cache, engine) = (self.cache.clone(), self.engine.clone());
            let wasm = wasm.to_vec();
            blocking(move || {
                // A compilation cannot be stopped: it keeps its place even when nobody waits any more.
                let _place = place;
                // Whoever held the place before may have compiled the same component.
                if let Some(component) = cache.as_ref().and_then(|c| c.load(&engine, &hash)) {
                    return Ok(component);
                }
                let component =
                    Component::from_binary(&engine, &wasm).map_err(|error| SandboxError::Compile(shortened(&error)))?;
                if let Some(cache) = &cache {
                    cache.store(&component, &hash);
                }
                Ok(component)
            })
            .await
        };
        tokio::time::timeout(self.timeout, work).await.unwrap_or(Err(SandboxError::CompileTimeout(self.timeout)))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SandboxError> + Send + 'static,
) -> Result<T, SandboxError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(SandboxError::Compile(error.to_string())),
    }
}

/// An error message of bounded length: the compiler quotes from the component.
fn shortened(error: &wasmtime::Error) -> String {
    const SHOWN: usize = 300;
    format!("{error:#}").chars().take(SHOWN).collect()
}
