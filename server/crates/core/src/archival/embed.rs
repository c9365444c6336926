//! Vectors of texts. A text is stored whether or not it can be embedded; what is left over is embedded later.

use std::{sync::Arc, time::Duration};

use mneme_domain::{Actor, archive::Archive, llm_config::EmbeddingConfig};
use mneme_llm::{LlmError, Provider};
use mneme_store::passages;

use crate::{Core, CoreError, Result};

/// How long a text waits for its vector. A tool's call to the host has half a minute in all.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Characters of a text that are embedded; models take about 8,000 tokens. The words of the rest are found all the same.
const MOST_CHARS: usize = 20_000;
/// The same after a refusal: in some scripts every character is a token.
const FEWER_CHARS: usize = 6_000;
/// Texts left over that are embedded at a time.
const LEFT_OVER: u32 = 50;
/// A text without a vector is left over once it is older than this, in seconds: its own request may still be at it.
const LEFT_OVER_AGE: i64 = 60;

impl Core {
    /// The provider of an embedding model.
    pub(crate) fn embedding_provider(&self, config: &EmbeddingConfig) -> Result<&Provider> {
        let handle = config.handle.as_deref().and_then(|handle| handle.split_once('/')).map(|(name, _)| name);
        let name = handle.unwrap_or(&config.embedding_endpoint_type);
        self.models.provider(name).ok_or_else(|| {
            CoreError::Invalid(format!("The embedding provider '{name}' is not configured on this server"))
        })
    }

    /// The vector of a text.
    pub(super) async fn vector(&self, config: &EmbeddingConfig, text: &str) -> Result<Vec<f32>> {
        let provider = self.embedding_provider(config)?;
        let ask = |most: usize| {
            let part: String = text.chars().take(most).collect();
            async move { self.models.client().embed(provider, &config.embedding_model, &[part], None).await }
        };
        let asked = async {
            match ask(MOST_CHARS).await {
                Err(LlmError::ContextOverflow { .. } | LlmError::BadRequest { .. })
                    if text.chars().nth(FEWER_CHARS).is_some() =>
                {
                    ask(FEWER_CHARS).await
                }
                answer => answer,
            }
        };
        let vectors = tokio::time::timeout(TIMEOUT, asked)
            .await
            .map_err(|_| CoreError::Unavailable(format!("no embedding within {} s", TIMEOUT.as_secs())))??;
        match vectors.into_iter().next() {
            Some(vector) if !vector.is_empty() && vector.iter().all(|number| number.is_finite()) => Ok(vector),
            _ => Err(CoreError::Unavailable("the embedding provider answered without a vector".into())),
        }
    }

    /// The vector of a text, or none with a line in the log when there is no model or it cannot be asked.
    pub(crate) async fn try_vector(&self, config: Option<&EmbeddingConfig>, text: &str) -> Option<Vec<f32>> {
        let config = config?;
        match self.vector(config, text).await {
            Ok(vector) => Some(vector),
            Err(error) => {
                tracing::warn!(model = config.name(), %error, "a text could not be embedded");
                None
            }
        }
    }

    /// Embeds texts of an archive that were left over, in the background. Called when its model has just answered.
    pub(super) fn embed_left_over(self: &Arc<Self>, actor: &Actor, archive: &Archive) {
        let (core, actor, archive) = (Arc::clone(self), actor.clone(), archive.clone());
        self.tasks.spawn(async move {
            if let Err(error) = core.embed_some(&actor, &archive).await {
                tracing::warn!(archive = %archive.id, %error, "texts that were left over could not be embedded");
            }
        });
    }

    async fn embed_some(&self, actor: &Actor, archive: &Archive) -> Result<()> {
        let Some(config) = &archive.embedding_config else {
            return Ok(());
        };
        let found = passages::unembedded(&mut self.store.read().await?, actor, &archive.id, LEFT_OVER).await?;
        let now = self.env.now();
        for passage in found {
            let age = now - passage.updated_at.unwrap_or(passage.created_at);
            if age.num_seconds() < LEFT_OVER_AGE || self.closing.is_cancelled() {
                continue;
            }
            let vector = self.vector(config, &passage.text).await?;
            let mut tx = self.store.write().await?;
            passages::embed(&mut tx, actor, &passage.id, &passage.text, config, &vector).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
