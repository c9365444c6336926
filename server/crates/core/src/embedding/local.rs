//! The built-in model: loaded when it is first asked, dropped when nobody asked for a while, never on the threads that
//! serve requests.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use mneme_domain::llm_config::EmbeddingConfig;
use mneme_embedder::Model;
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, oneshot},
    task::spawn_blocking,
    time::sleep,
};

use super::LOCAL;
use crate::{CoreError, Result};

/// How long the weights stay in memory after their last use, about 50 MB.
const IDLE: Duration = Duration::from_secs(10 * 60);
/// Texts that go through the model before others get their turn.
const TURN: usize = 4;
/// How much threads that nobody waits for stand back, of 20: they get a thirtieth of a processor that others use up.
#[cfg(target_os = "linux")]
const NICE: i32 = 15;
/// Tokens of a chunk of a document.
const CHUNK_TOKENS: u32 = 300;

/// The model that a binary carries.
#[derive(Clone, Copy)]
pub struct LocalModel {
    /// Its name, without the provider's.
    pub name: &'static str,
    /// Weights and vocabulary as `mneme_embedder::pack` makes them.
    pub packed: &'static [u8],
}

impl fmt::Debug for LocalModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalModel").field("name", &self.name).finish_non_exhaustive()
    }
}

impl LocalModel {
    /// The model as clients see it.
    pub(crate) fn config(&self) -> EmbeddingConfig {
        EmbeddingConfig {
            // Of the names that clients know this one says best whose model it is.
            embedding_endpoint_type: "hugging-face".into(),
            embedding_endpoint: None,
            embedding_model: self.name.into(),
            embedding_dim: 384,
            embedding_chunk_size: Some(CHUNK_TOKENS),
            handle: Some(format!("{LOCAL}/{}", self.name)),
            batch_size: 32,
            azure_endpoint: None,
            azure_version: None,
            azure_deployment: None,
        }
    }
}

/// Whether somebody waits for vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    Now,
    /// Nobody: they are made while the processors have nothing else to do.
    WhenIdle,
}

/// The model with its weights, while they are in use.
pub(crate) struct Local {
    model: LocalModel,
    loaded: Arc<Mutex<Loaded>>,
    /// A place for each core, and one for what nobody waits for.
    places: Semaphore,
    idle: Semaphore,
}

#[derive(Default)]
struct Loaded {
    weights: Option<Arc<Model>>,
    used: Option<Instant>,
}

impl Local {
    pub(crate) fn new(model: LocalModel) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { model, loaded: Arc::default(), places: Semaphore::new(cores), idle: Semaphore::new(1) }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.model.name
    }

    /// The vectors of texts, in order.
    pub(crate) async fn embed(&self, haste: Haste, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for turn in texts.chunks(TURN) {
            let (turn, packed, loaded) = (turn.to_vec(), self.model.packed, Arc::clone(&self.loaded));
            let work = move || {
                let (weights, fresh) = weights(&loaded, packed)?;
                Ok::<_, CoreError>((weights.embed(&turn), fresh))
            };
            let (made, fresh) = match haste {
                Haste::Now => {
                    let _place = self.places.acquire().await.map_err(internal)?;
                    spawn_blocking(work).await.map_err(internal)??
                }
                Haste::WhenIdle => {
                    let _place = self.idle.acquire().await.map_err(internal)?;
                    standing_back(work).await??
                }
            };
            if fresh {
                tokio::spawn(drop_when_idle(Arc::downgrade(&self.loaded)));
            }
            vectors.extend(made);
        }
        Ok(vectors)
    }
}

/// Does work on a thread of its own that leaves the processors to others. A thread that may stand back may not come back
/// from there, so it ends with the work.
async fn standing_back<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (done, told) = oneshot::channel();
    let thread = std::thread::Builder::new().name("embed-idle".into());
    let spawned = thread.spawn(move || {
        // Linux has this for each thread. Where it is refused the work takes what it can get.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
        let _ = done.send(work());
    });
    spawned.map_err(internal)?;
    told.await.map_err(|_| internal("its thread panicked"))
}

fn internal(error: impl fmt::Display) -> CoreError {
    CoreError::Internal(format!("the built-in embedding model failed: {error}"))
}

/// The weights, and whether they were loaded just now.
fn weights(loaded: &Mutex<Loaded>, packed: &'static [u8]) -> Result<(Arc<Model>, bool)> {
    let mut loaded = loaded.lock();
    loaded.used = Some(Instant::now());
    if let Some(weights) = &loaded.weights {
        return Ok((Arc::clone(weights), false));
    }
    let weights = Arc::new(Model::load(packed).map_err(internal)?);
    loaded.weights = Some(Arc::clone(&weights));
    Ok((weights, true))
}

async fn drop_when_idle(loaded: Weak<Mutex<Loaded>>) {
    loop {
        sleep(IDLE / 10).await;
        let Some(loaded) = loaded.upgrade() else { return };
        let mut loaded = loaded.lock();
        if loaded.used.is_none_or(|used| used.elapsed() >= IDLE) {
            loaded.weights = None;
            return;
        }
    }
}
