//! Vectors of chunks: many texts in a request, several requests at a time.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use mneme_domain::{PassageId, archive::Passage, llm_config::EmbeddingConfig};

use crate::{Core, CoreError, Result};

/// Chunks that are embedded before the next ones are read.
pub const BATCH: u32 = 256;
/// Chunks of a request at most.
const REQUEST: usize = 64;
/// Requests at a time.
const AT_ONCE: usize = 4;
/// How long a request may take, with its repetitions.
const TIMEOUT: Duration = Duration::from_secs(120);

impl Core {
    /// The vectors of some chunks, in their order.
    pub(super) async fn chunk_vectors(
        &self,
        config: &EmbeddingConfig,
        chunks: &[Passage],
    ) -> Result<Vec<(PassageId, String, Vec<f32>)>> {
        let size = usize::try_from(config.batch_size).unwrap_or(REQUEST).clamp(1, REQUEST);
        let requests: Vec<_> = chunks.chunks(size).map(|part| self.part_vectors(config, part)).collect();
        let parts: Vec<Vec<Vec<f32>>> = stream::iter(requests).buffered(AT_ONCE).try_collect().await?;
        let vectors = parts.into_iter().flatten();
        Ok(chunks.iter().zip(vectors).map(|(chunk, vector)| (chunk.id.clone(), chunk.text.clone(), vector)).collect())
    }

    async fn part_vectors(&self, config: &EmbeddingConfig, chunks: &[Passage]) -> Result<Vec<Vec<f32>>> {
        let provider = self.embedding_provider(config)?;
        let texts: Vec<String> = chunks.iter().map(|chunk| chunk.text.clone()).collect();
        let asked = self.models.client().embed(provider, &config.embedding_model, &texts, None);
        let late = |_| CoreError::Unavailable(format!("no embedding within {} s", TIMEOUT.as_secs()));
        let vectors = tokio::time::timeout(TIMEOUT, asked).await.map_err(late)??;
        let sound = |vector: &Vec<f32>| !vector.is_empty() && vector.iter().all(|number| number.is_finite());
        if vectors.len() != chunks.len() || !vectors.iter().all(sound) {
            return Err(CoreError::Unavailable("the embedding provider answered without a vector".into()));
        }
        Ok(vectors)
    }
}
