//! The models that the configured providers offer: asked live, cached, looked up by handle.

use std::{collections::HashMap, sync::Arc, time::Instant};

use chrono::{DateTime, Utc};
use futures::future::join_all;
use mneme_domain::{
    Actor, Page, ProviderId,
    llm_config::{EmbeddingConfig, LlmConfig},
};
use mneme_llm::{LlmClient, ModelInfo, ModelKind, Provider, ProviderKind};
use mneme_store::providers;
use parking_lot::RwLock;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Core, CoreConfig, CoreError, Result, embedding::LOCAL};

/// Which models a list is of; empty fields ask for all.
#[derive(Debug, Clone, Default)]
pub struct ModelFilter {
    /// `base` or `byok`.
    pub provider_category: Vec<String>,
    /// A provider's name.
    pub provider_name: Option<String>,
    /// A provider's type.
    pub provider_type: Option<String>,
}

struct Cached {
    at: Instant,
    models: Arc<Vec<ModelInfo>>,
}

/// Knows the providers and, for a while, their models.
pub struct ModelRegistry {
    providers: Vec<Provider>,
    client: LlmClient,
    config: CoreConfig,
    cache: RwLock<HashMap<String, Cached>>,
}

/// The provider type in the API's names.
pub fn provider_type(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::OpenAi | ProviderKind::OpenAiCompatible | ProviderKind::OpenRouter | ProviderKind::LlamaCpp => {
            "openai"
        }
        ProviderKind::Ollama => "ollama",
        ProviderKind::Vllm => "vllm",
        ProviderKind::LmStudio => "lmstudio_openai",
        ProviderKind::Anthropic => "anthropic",
        ProviderKind::Gemini => "google_ai",
    }
}

/// The `model_endpoint_type` of a provider's models.
fn endpoint_type(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::LmStudio => "lmstudio",
        ProviderKind::LlamaCpp => "llamacpp",
        other => provider_type(other),
    }
}

impl ModelRegistry {
    /// A registry of the configured providers.
    pub fn new(config: &CoreConfig, client: LlmClient) -> Self {
        let providers = config
            .providers
            .iter()
            .map(|p| Provider::new(p.name.clone(), p.kind, p.base_url.clone(), p.api_key.clone()))
            .collect();
        Self { providers, client, config: config.clone(), cache: RwLock::new(HashMap::new()) }
    }

    /// All providers.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// A provider by name.
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name() == name)
    }

    /// A provider's models: from the cache while it is fresh, else asked; when asking fails, the stale list serves.
    pub async fn models_of(&self, provider: &Provider) -> Result<Arc<Vec<ModelInfo>>> {
        let stale = {
            let cache = self.cache.read();
            match cache.get(provider.name()) {
                Some(entry) if entry.at.elapsed() < self.config.model_cache => {
                    return Ok(entry.models.clone());
                }
                other => other.map(|entry| entry.models.clone()),
            }
        };
        let asked = tokio::time::timeout(self.config.model_list_timeout, self.client.models(provider)).await;
        match (asked, stale) {
            (Ok(Ok(models)), _) => {
                let models = Arc::new(models);
                let entry = Cached { at: Instant::now(), models: models.clone() };
                self.cache.write().insert(provider.name().to_owned(), entry);
                Ok(models)
            }
            (_, Some(models)) => {
                tracing::warn!(
                    provider = provider.name(),
                    "the provider does not list its models; using the last list"
                );
                Ok(models)
            }
            (Ok(Err(error)), None) => Err(error.into()),
            (Err(_), None) => Err(CoreError::Unavailable(format!(
                "The provider '{}' did not list its models within {} s",
                provider.name(),
                self.config.model_list_timeout.as_secs()
            ))),
        }
    }

    /// Every provider with its models; providers that cannot be asked are left out and logged.
    async fn all(&self) -> Vec<(&Provider, Arc<Vec<ModelInfo>>)> {
        let lists = join_all(self.providers.iter().map(|provider| async move {
            match self.models_of(provider).await {
                Ok(models) => Some((provider, models)),
                Err(error) => {
                    tracing::warn!(provider = provider.name(), %error, "the provider's models could not be listed");
                    None
                }
            }
        }));
        lists.await.into_iter().flatten().collect()
    }

    /// The chat models.
    pub async fn list(&self, filter: &ModelFilter) -> Vec<LlmConfig> {
        if !filter.provider_category.is_empty() && !filter.provider_category.iter().any(|c| c == "base") {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (provider, models) in self.all().await {
            let wanted = filter.provider_name.as_deref().is_none_or(|name| name == provider.name())
                && filter.provider_type.as_deref().is_none_or(|kind| kind == provider_type(provider.kind()));
            if wanted {
                found.extend(models.iter().filter(|m| m.kind == ModelKind::Chat).map(|m| chat_config(provider, m)));
            }
        }
        found
    }

    /// The embedding models: of the providers, then the built-in one.
    pub async fn list_embeddings(&self) -> Vec<EmbeddingConfig> {
        let mut found = Vec::new();
        for (provider, models) in self.all().await {
            found.extend(
                models.iter().filter(|m| m.kind == ModelKind::Embedding).map(|m| embedding_config(provider, m)),
            );
        }
        found.extend(self.config.local_model.map(|model| model.config()));
        found
    }

    /// Splits a handle; the provider must be known.
    fn split<'a>(&self, field: &str, handle: &'a str) -> Result<(&Provider, &'a str)> {
        let (name, model) =
            handle.split_once('/').filter(|(name, model)| !name.is_empty() && !model.is_empty()).ok_or_else(|| {
                CoreError::field(field, format!("a model handle has the form provider/model, '{handle}' has not"))
            })?;
        let provider = self.provider(name).ok_or_else(|| {
            let known: Vec<&str> = self.providers.iter().map(Provider::name).collect();
            CoreError::NotFound(format!("Handle {handle} not found: no provider '{name}'; configured are {known:?}"))
        })?;
        Ok((provider, model))
    }

    /// The chat model of a handle.
    pub async fn chat(&self, handle: &str) -> Result<LlmConfig> {
        let (provider, model) = self.split("model", handle)?;
        let models = self.models_of(provider).await?;
        let info = models.iter().find(|m| m.id == model && m.kind != ModelKind::Embedding);
        info.map(|info| chat_config(provider, info)).ok_or_else(|| not_listed(handle, &models, ModelKind::Chat))
    }

    /// The embedding model of a handle.
    pub async fn embedding(&self, handle: &str) -> Result<EmbeddingConfig> {
        // A provider of the same name goes before the built-in model.
        let local = self.config.local_model.filter(|_| self.provider(LOCAL).is_none()).map(|model| model.config());
        if let Some(config) = local.filter(|config| config.name() == handle) {
            return Ok(config);
        }
        let (provider, model) = self.split("embedding", handle)?;
        let models = self.models_of(provider).await?;
        let info = models.iter().find(|m| m.id == model);
        info.map(|info| embedding_config(provider, info))
            .ok_or_else(|| not_listed(handle, &models, ModelKind::Embedding))
    }

    /// The provider that serves an agent's model, by the configuration stored with the agent.
    pub fn provider_of(&self, config: &LlmConfig) -> Result<&Provider> {
        let name = config
            .provider_name
            .as_deref()
            .or_else(|| config.handle.as_deref().and_then(|handle| handle.split_once('/')).map(|(name, _)| name))
            .unwrap_or(&config.model_endpoint_type);
        self.provider(name).ok_or_else(|| {
            CoreError::Invalid(format!(
                "The agent's model provider '{name}' is not configured on this server; set it up or change the agent's model"
            ))
        })
    }

    /// The client that talks to providers.
    pub fn client(&self) -> &LlmClient {
        &self.client
    }
}

fn not_listed(handle: &str, models: &[ModelInfo], kind: ModelKind) -> CoreError {
    let mut names: Vec<&str> = models.iter().filter(|m| m.kind == kind).map(|m| m.id.as_str()).collect();
    names.truncate(30);
    CoreError::NotFound(format!("Handle {handle} not found, must be one of {names:?}"))
}

fn chat_config(provider: &Provider, info: &ModelInfo) -> LlmConfig {
    LlmConfig {
        model: info.id.clone(),
        display_name: None,
        model_endpoint_type: endpoint_type(provider.kind()).into(),
        model_endpoint: Some(shown_url(provider)),
        provider_name: Some(provider.name().into()),
        provider_category: Some("base".into()),
        model_wrapper: None,
        context_window: info.context_window.tokens,
        put_inner_thoughts_in_kwargs: Some(false),
        handle: Some(format!("{}/{}", provider.name(), info.id)),
        temperature: if info.reasoning { 1.0 } else { 0.7 },
        max_tokens: None,
        enable_reasoner: info.reasoning,
        reasoning_effort: None,
        max_reasoning_tokens: 0,
        frequency_penalty: None,
        compatibility_type: None,
        verbosity: None,
        tier: None,
        parallel_tool_calls: Some(false),
    }
}

fn embedding_config(provider: &Provider, info: &ModelInfo) -> EmbeddingConfig {
    EmbeddingConfig {
        embedding_endpoint_type: provider_type(provider.kind()).into(),
        embedding_endpoint: Some(shown_url(provider)),
        embedding_model: info.id.clone(),
        embedding_dim: info.embedding_dim.unwrap_or(1536),
        embedding_chunk_size: Some(300),
        handle: Some(format!("{}/{}", provider.name(), info.id)),
        batch_size: 1024,
        azure_endpoint: None,
        azure_version: None,
        azure_deployment: None,
    }
}

/// A provider's address without credentials that it may carry.
pub fn shown_url(provider: &Provider) -> String {
    let mut url = provider.base_url().clone();
    // Both setters only fail on URLs that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.as_str().trim_end_matches('/').to_owned()
}

/// A provider as clients read it; its key never leaves the server.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProviderView {
    #[schema(value_type = String)]
    pub id: ProviderId,
    pub name: String,
    pub provider_type: String,
    /// `base` (set up by the operator) or `byok` (added by a user).
    pub provider_category: String,
    pub api_key: Option<String>,
    pub base_url: Option<String>,
    pub access_key: Option<String>,
    pub region: Option<String>,
    pub api_version: Option<String>,
    pub updated_at: Option<DateTime<Utc>>,
}

impl Core {
    /// The chat models of all providers.
    ///
    /// # Errors
    /// None now; providers that cannot be asked are left out.
    pub async fn list_models(&self, _actor: &Actor, filter: ModelFilter) -> Result<Vec<LlmConfig>> {
        Ok(self.models.list(&filter).await)
    }

    /// The embedding models of all providers.
    ///
    /// # Errors
    /// None now; providers that cannot be asked are left out.
    pub async fn list_embedding_models(&self, _actor: &Actor) -> Result<Vec<EmbeddingConfig>> {
        Ok(self.models.list_embeddings().await)
    }

    /// The providers that the organisation can use.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_providers(
        &self,
        actor: &Actor,
        name: Option<String>,
        provider_type: Option<String>,
        page: &Page,
    ) -> Result<Vec<ProviderView>> {
        let mut conn = self.store.read().await?;
        let found = providers::list(&mut conn, actor, name.as_deref(), provider_type.as_deref(), page).await?;
        Ok(found
            .into_iter()
            .map(|stored| ProviderView {
                id: stored.id,
                name: stored.name,
                provider_type: stored.provider_type,
                provider_category: stored.category,
                api_key: None,
                base_url: stored.base_url,
                access_key: None,
                region: None,
                api_version: None,
                updated_at: Some(stored.updated_at),
            })
            .collect())
    }
}
