//! Vectors of texts: from the built-in model or from a provider, kept by content so that nothing is embedded twice.

mod cache;
mod local;
mod recall;

use std::time::Duration;

use cache::Vectors;
pub use local::LocalModel;
pub(crate) use local::{Haste, Local};
use mneme_domain::{Actor, llm_config::EmbeddingConfig};
use mneme_llm::LlmError;
pub(crate) use recall::Recall;

use crate::{Core, CoreError, Result, error::NO_SUCH_MODEL};

/// The part of a handle before the slash that means the built-in model.
pub(crate) const LOCAL: &str = "local";
/// How long texts wait for a provider's vectors. A tool's call to the host has half a minute in all.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Characters of a text that are embedded; models take about 8,000 tokens. The words of the rest are found all the same.
const MOST_CHARS: usize = 20_000;
/// The same after a refusal: in some scripts every character is a token.
const FEWER_CHARS: usize = 6_000;
/// Texts that are asked for together.
const BATCH: usize = 256;

/// What makes vectors, beside the providers.
pub(crate) struct Embedder {
    local: Option<Local>,
    cache: Vectors,
}

impl Embedder {
    pub(crate) fn new(model: Option<LocalModel>) -> Self {
        Self { local: model.map(Local::new), cache: Vectors::default() }
    }
}

impl Core {
    /// The vectors of texts, in order. All have the length that the model's configuration says.
    ///
    /// # Errors
    /// 400 for a model that no provider has or whose vectors have another length, 503 when it does not answer in time.
    pub(crate) async fn vectors(
        &self,
        actor: &Actor,
        config: &EmbeddingConfig,
        texts: &[String],
    ) -> Result<Vec<Vec<f32>>> {
        self.vectors_for(Haste::Now, actor, config, texts).await
    }

    /// The same where somebody waits for them or not.
    ///
    /// # Errors
    /// As [`Core::vectors`].
    pub(crate) async fn vectors_for(
        &self,
        haste: Haste,
        actor: &Actor,
        config: &EmbeddingConfig,
        texts: &[String],
    ) -> Result<Vec<Vec<f32>>> {
        let mut found = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            found.extend(self.batch(haste, actor, config, batch).await?);
        }
        Ok(found)
    }

    /// The vector of a text.
    pub(crate) async fn vector(&self, actor: &Actor, config: &EmbeddingConfig, text: &str) -> Result<Vec<f32>> {
        let vectors = self.vectors(actor, config, &[text.to_owned()]).await?;
        vectors.into_iter().next().ok_or_else(|| no_vector("answered without a vector"))
    }

    /// The vector of a text, or none with a line in the log when there is no model or it cannot be asked.
    pub(crate) async fn try_vector(
        &self,
        actor: &Actor,
        config: Option<&EmbeddingConfig>,
        text: &str,
    ) -> Option<Vec<f32>> {
        let config = config?;
        match self.vector(actor, config, text).await {
            Ok(vector) => Some(vector),
            Err(error) => {
                tracing::warn!(model = config.name(), %error, "a text could not be embedded");
                None
            }
        }
    }

    async fn batch(
        &self,
        haste: Haste,
        actor: &Actor,
        config: &EmbeddingConfig,
        texts: &[String],
    ) -> Result<Vec<Vec<f32>>> {
        // What an organisation's own provider makes is that organisation's, whatever the provider is called.
        let model = match self.models.provider(provider_name(config)) {
            None if provider_name(config) != LOCAL => format!("{} {}", actor.org, config.name()),
            _ => config.name().to_owned(),
        };
        let keys: Vec<cache::Key> = texts.iter().map(|text| cache::key(&model, text)).collect();
        let mut vectors: Vec<Option<Vec<f32>>> = keys.iter().map(|key| self.embedder.cache.get(key)).collect();
        let missing: Vec<usize> = (0..texts.len()).filter(|index| vectors[*index].is_none()).collect();
        if !missing.is_empty() {
            let wanted: Vec<String> =
                missing.iter().map(|index| texts[*index].chars().take(MOST_CHARS).collect()).collect();
            let made = self.ask(haste, actor, config, wanted).await?;
            for (index, vector) in missing.into_iter().zip(made) {
                check(config, &vector)?;
                self.embedder.cache.put(keys[index], &vector);
                vectors[index] = Some(vector);
            }
        }
        vectors.into_iter().map(|vector| vector.ok_or_else(|| no_vector("answered with too few vectors"))).collect()
    }

    async fn ask(
        &self,
        haste: Haste,
        actor: &Actor,
        config: &EmbeddingConfig,
        texts: Vec<String>,
    ) -> Result<Vec<Vec<f32>>> {
        if provider_name(config) == LOCAL && self.models.provider(LOCAL).is_none() {
            let local = self.embedder.local.as_ref().filter(|local| local.name() == config.embedding_model);
            let local = local.ok_or_else(|| {
                CoreError::Invalid(format!("This server was built without the embedding model {}", config.name()))
            })?;
            return local.embed(haste, texts).await;
        }
        tokio::time::timeout(TIMEOUT, self.ask_provider(actor, config, texts))
            .await
            .map_err(|_| CoreError::Unavailable(format!("no embedding within {} s", TIMEOUT.as_secs())))?
    }

    async fn ask_provider(&self, actor: &Actor, config: &EmbeddingConfig, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let provider = &self.embedding_provider(actor, config).await?;
        let model = &config.embedding_model;
        match self.models.client().embed(provider, model, &texts, None).await {
            Ok(vectors) => Ok(vectors),
            Err(error @ (LlmError::ContextOverflow { .. } | LlmError::BadRequest { .. })) => {
                // One text that is too long spoils the others' request.
                let shorter: Vec<String> = texts.iter().map(|text| text.chars().take(FEWER_CHARS).collect()).collect();
                if shorter == texts {
                    return Err(error.into());
                }
                Ok(self.models.client().embed(provider, model, &shorter, None).await?)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The name of a model's provider.
pub(crate) fn provider_name(config: &EmbeddingConfig) -> &str {
    let handle = config.handle.as_deref().and_then(|handle| handle.split_once('/')).map(|(name, _)| name);
    handle.unwrap_or(&config.embedding_endpoint_type)
}

/// Whether an error says that this server does not have a model, rather than that it cannot be asked now.
pub(crate) fn is_gone(error: &CoreError) -> bool {
    match error {
        CoreError::Invalid(_) => true,
        CoreError::Llm(failure) => failure.message == NO_SUCH_MODEL,
        _ => false,
    }
}

/// Says that an archive or a folder needs a model that could not make vectors.
pub(crate) fn lack(place: &str, config: &EmbeddingConfig, error: &CoreError) -> String {
    format!("{place} needs the embedding model {} to be searched by meaning: {error}", config.name())
}

fn check(config: &EmbeddingConfig, vector: &[f32]) -> Result<()> {
    if vector.is_empty() || !vector.iter().all(|number| number.is_finite()) {
        return Err(no_vector("answered without a vector"));
    }
    if u32::try_from(vector.len()) != Ok(config.embedding_dim) {
        tracing::debug!(
            model = config.name(),
            expected = config.embedding_dim,
            found = vector.len(),
            "a vector has another length than its model's configuration says"
        );
    }
    Ok(())
}

fn no_vector(what: &str) -> CoreError {
    CoreError::Unavailable(format!("the embedding provider {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_gone_is_told_from_one_that_is_away() {
        let no_model = LlmError::NotFound { message: "no such model".into(), model: "small".into(), status: Some(404) };
        let later = LlmError::RateLimit { message: "later".into(), retry_after: None };
        assert!(is_gone(&no_model.into()));
        assert!(is_gone(&CoreError::Invalid("The embedding provider 'gone' is not configured".into())));
        assert!(!is_gone(&later.into()));
        assert!(!is_gone(&CoreError::Unavailable("no embedding within 20 s".into())));
    }
}
