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
use tokio::{sync::Semaphore, task::spawn_blocking, time::sleep};

use super::LOCAL;
use crate::{CoreError, Result};

/// How long the weights stay in memory after their last use, about 50 MB.
const IDLE: Duration = Duration::from_secs(10 * 60);
/// Texts that go through the model before others get their turn.
const TURN: usize = 4;
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

/// The model with its weights, while they are in use.
pub(crate) struct Local {
    model: LocalModel,
    loaded: Arc<Mutex<Loaded>>,
    /// A place for each core.
    places: Arc<Semaphore>,
}

#[derive(Default)]
struct Loaded {
    weights: Option<Arc<Model>>,
    used: Option<Instant>,
}

impl Local {
    pub(crate) fn new(model: LocalModel) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { model, loaded: Arc::default(), places: Arc::new(Semaphore::new(cores)) }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.model.name
    }

    /// The vectors of texts, in order.
    pub(crate) async fn embed(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for turn in texts.chunks(TURN) {
            let _place = Arc::clone(&self.places).acquire_owned().await.map_err(internal)?;
            let (turn, packed, loaded) = (turn.to_vec(), self.model.packed, Arc::clone(&self.loaded));
            let (made, fresh) = spawn_blocking(move || {
                let (weights, fresh) = weights(&loaded, packed)?;
                Ok::<_, CoreError>((weights.embed(&turn), fresh))
            })
            .await
            .map_err(internal)??;
            if fresh {
                tokio::spawn(drop_when_idle(Arc::downgrade(&self.loaded)));
            }
            vectors.extend(made);
        }
        Ok(vectors)
    }
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
