//! From handles and stored configurations to models and the providers that serve them.

use std::sync::Arc;

use futures::future::join_all;
use mneme_domain::{
    Actor,
    llm_config::{EmbeddingConfig, LlmConfig},
};
use mneme_llm::{ModelInfo, ModelKind, Provider};
use mneme_macros::boxed;

use super::{
    Category, ModelFilter,
    byok::Found,
    show::{chat_config, embedding_config},
};
use crate::{
    Core, CoreError, Result,
    embedding::{LOCAL, provider_name},
};

#[boxed]
impl Core {
    /// The chat models of all providers that the organisation can use; providers that cannot be asked are left out.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_models(&self, actor: &Actor, filter: ModelFilter) -> Result<Vec<LlmConfig>> {
        let categories = &filter.provider_category;
        let mut wanted = self.usable_providers(actor).await?;
        wanted.retain(|found| {
            (categories.is_empty() || categories.iter().any(|name| name == found.category.name()))
                && filter.provider_name.as_deref().is_none_or(|name| name == found.provider.name())
                && filter.provider_type.as_deref().is_none_or(|kind| kind == found.provider.kind().api_name())
        });
        let lists = self.lists(&wanted).await;
        let chat = lists.into_iter().flat_map(|(found, models)| {
            let shown = |info: &ModelInfo| chat_config(&found.provider, found.category, info);
            models.iter().filter(|info| info.kind == ModelKind::Chat).map(shown).collect::<Vec<_>>()
        });
        Ok(chat.collect())
    }

    /// The embedding models of all providers that the organisation can use; providers that cannot be asked are left
    /// out.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_embedding_models(&self, actor: &Actor) -> Result<Vec<EmbeddingConfig>> {
        let usable = self.usable_providers(actor).await?;
        let mut models = self.embedding_models_of(&usable).await;
        // The built-in one comes last.
        models.extend(self.config.local_model.map(|model| model.config()));
        Ok(models)
    }

    /// The first of [`Core::list_embedding_models`]. The organisation's own providers are only looked up when the
    /// operator's offer none.
    pub(crate) async fn first_embedding_model(&self, actor: &Actor) -> Result<Option<EmbeddingConfig>> {
        let operators = self.operators_providers();
        if let Some(first) = self.embedding_models_of(&operators).await.into_iter().next() {
            return Ok(Some(first));
        }
        let own = self.own_providers(actor).await?;
        let first = self.embedding_models_of(&own).await.into_iter().next();
        Ok(first.or_else(|| self.config.local_model.map(|model| model.config())))
    }

    /// The embedding models of some providers; those that cannot be asked are left out.
    async fn embedding_models_of(&self, providers: &[Found]) -> Vec<EmbeddingConfig> {
        let lists = self.lists(providers).await;
        let embedding = lists.into_iter().flat_map(|(found, models)| {
            let shown = |info: &ModelInfo| embedding_config(&found.provider, info);
            models.iter().filter(|info| info.kind == ModelKind::Embedding).map(shown).collect::<Vec<_>>()
        });
        embedding.collect()
    }

    /// The providers with their models, all asked at once.
    async fn lists<'a>(&self, providers: &'a [Found]) -> Vec<(&'a Found, Arc<Vec<ModelInfo>>)> {
        let asked = join_all(providers.iter().map(|found| async move {
            match self.models.models_of(&found.provider).await {
                Ok(models) => Some((found, models)),
                Err(error) => {
                    let provider = found.provider.name();
                    tracing::warn!(provider, %error, "the provider's models could not be listed");
                    None
                }
            }
        }));
        asked.await.into_iter().flatten().collect()
    }

    /// The chat model of a handle.
    pub(crate) async fn chat_model(&self, actor: &Actor, handle: &str) -> Result<LlmConfig> {
        let (found, model) = self.split(actor, "model", handle).await?;
        let models = self.models.models_of(&found.provider).await?;
        let info = models.iter().find(|m| m.id == model && m.kind != ModelKind::Embedding);
        info.map(|info| chat_config(&found.provider, found.category, info))
            .ok_or_else(|| not_listed(handle, &models, ModelKind::Chat))
    }

    /// The embedding model of a handle.
    pub(crate) async fn embedding_model(&self, actor: &Actor, handle: &str) -> Result<EmbeddingConfig> {
        // A provider of the same name goes before the built-in model.
        let local = self.config.local_model.filter(|_| self.models.provider(LOCAL).is_none());
        if let Some(config) = local.map(|model| model.config()).filter(|config| config.name() == handle) {
            return Ok(config);
        }
        let (found, model) = self.split(actor, "embedding", handle).await?;
        let models = self.models.models_of(&found.provider).await?;
        let info = models.iter().find(|m| m.id == model);
        info.map(|info| embedding_config(&found.provider, info))
            .ok_or_else(|| not_listed(handle, &models, ModelKind::Embedding))
    }

    /// Splits a handle; the provider must be known.
    async fn split<'a>(&self, actor: &Actor, field: &str, handle: &'a str) -> Result<(Found, &'a str)> {
        let (name, model) =
            handle.split_once('/').filter(|(name, model)| !name.is_empty() && !model.is_empty()).ok_or_else(|| {
                CoreError::field(field, format!("a model handle has the form provider/model, '{handle}' has not"))
            })?;
        match self.provider_named(actor, name).await? {
            Some(found) => Ok((found, model)),
            None => {
                let usable = self.usable_providers(actor).await?;
                let known: Vec<&str> = usable.iter().map(|found| found.provider.name()).collect();
                Err(CoreError::NotFound(format!(
                    "Handle {handle} not found: no provider '{name}'; configured are {known:?}"
                )))
            }
        }
    }

    /// The provider that serves an agent's model, by the configuration stored with the agent.
    pub(crate) async fn provider_of(&self, actor: &Actor, config: &LlmConfig) -> Result<Provider> {
        let name = config
            .provider_name
            .as_deref()
            .or_else(|| config.handle.as_deref().and_then(|handle| handle.split_once('/')).map(|(name, _)| name))
            .unwrap_or(&config.model_endpoint_type);
        // The operator's new provider of the same name must not take over what a user set up with another key.
        let found = match config.provider_category.as_deref() {
            Some(category) if category == Category::Byok.name() => self.own_provider(actor, name).await?,
            _ => self.provider_named(actor, name).await?,
        };
        found.map(|found| found.provider).ok_or_else(|| {
            CoreError::Invalid(format!(
                "The agent's model provider '{name}' is not configured on this server, or it was deleted; \
                 set it up or change the agent's model"
            ))
        })
    }

    /// The provider of an embedding model.
    pub(crate) async fn embedding_provider(&self, actor: &Actor, config: &EmbeddingConfig) -> Result<Provider> {
        let name = provider_name(config);
        let found = self.provider_named(actor, name).await?;
        found.map(|found| found.provider).ok_or_else(|| {
            CoreError::Invalid(format!("The embedding provider '{name}' is not configured on this server"))
        })
    }
}

fn not_listed(handle: &str, models: &[ModelInfo], kind: ModelKind) -> CoreError {
    let mut names: Vec<&str> = models.iter().filter(|m| m.kind == kind).map(|m| m.id.as_str()).collect();
    names.truncate(30);
    CoreError::NotFound(format!("Handle {handle} not found, must be one of {names:?}"))
}
