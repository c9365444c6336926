//! Vectors of chunks: many texts in a request, several requests at a time.

use futures::{StreamExt, TryStreamExt, stream};
use mneme_domain::{Actor, PassageId, archive::Passage, llm_config::EmbeddingConfig};

use crate::{Core, Result};

/// Chunks that are embedded before the next ones are read.
pub const BATCH: u32 = 256;
/// Chunks of a request at most.
const REQUEST: usize = 64;
/// Requests at a time.
const AT_ONCE: usize = 4;

impl Core {
    /// The vectors of some chunks, in their order.
    pub(super) async fn chunk_vectors(
        &self,
        actor: &Actor,
        config: &EmbeddingConfig,
        chunks: &[Passage],
    ) -> Result<Vec<(PassageId, String, Vec<f32>)>> {
        let size = usize::try_from(config.batch_size).unwrap_or(REQUEST).clamp(1, REQUEST);
        let requests: Vec<_> = chunks.chunks(size).map(|part| self.part_vectors(actor, config, part)).collect();
        let parts: Vec<Vec<Vec<f32>>> = stream::iter(requests).buffered(AT_ONCE).try_collect().await?;
        let vectors = parts.into_iter().flatten();
        Ok(chunks.iter().zip(vectors).map(|(chunk, vector)| (chunk.id.clone(), chunk.text.clone(), vector)).collect())
    }

    async fn part_vectors(&self, actor: &Actor, config: &EmbeddingConfig, chunks: &[Passage]) -> Result<Vec<Vec<f32>>> {
        let texts: Vec<String> = chunks.iter().map(|chunk| chunk.text.clone()).collect();
        self.vectors(actor, config, &texts).await
    }
}
