//! The models that providers offer: asked live, cached, looked up by handle. The operator's providers are in memory;
//! those that users added are read from the database whenever one is needed, so that a deleted one is gone at once.

mod byok;
mod check;
mod handles;
mod manage;
mod show;
mod view;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use mneme_llm::{LlmClient, LlmError, ModelInfo, Provider};
use mneme_macros::boxed;
use parking_lot::RwLock;

use crate::{CoreConfig, CoreError, Result};

pub use check::CheckProvider;
pub use manage::{CreateProvider, UpdateProvider};
pub use show::shown_url;
pub use view::ProviderView;

/// More lists than any installation has providers in use; beyond it the oldest goes.
const MAX_LISTS: usize = 2000;
/// How long a provider that did not list its models in time is left alone, so that one that hangs delays one list of
/// all models and not each.
const SULK: Duration = Duration::from_secs(15);

/// Who set a provider up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// The operator.
    Base,
    /// A user, for the organisation.
    Byok,
}

impl Category {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Byok => "byok",
        }
    }
}

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
    /// Until then the list is not asked for again.
    fresh_until: Instant,
    /// The last list, none when there never was one.
    models: Option<Arc<Vec<ModelInfo>>>,
    /// When the provider last did not answer in time.
    silent: Option<Instant>,
}

/// Knows the operator's providers and, for a while, the models of all.
pub struct ModelRegistry {
    providers: Vec<Provider>,
    client: LlmClient,
    config: CoreConfig,
    cache: RwLock<HashMap<String, Cached>>,
}

#[boxed]
impl ModelRegistry {
    /// A registry of the configured providers.
    pub fn new(config: &CoreConfig, client: LlmClient) -> Self {
        let providers = config.providers.iter().map(|config| config.provider()).collect();
        Self { providers, client, config: config.clone(), cache: RwLock::new(HashMap::new()) }
    }

    /// The operator's providers.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// A provider of the operator's by name.
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name() == name)
    }

    /// The client that talks to providers.
    pub fn client(&self) -> &LlmClient {
        &self.client
    }

    /// A provider's models: from the cache while it is fresh, else asked; when asking fails, the stale list serves.
    pub async fn models_of(&self, provider: &Provider) -> Result<Arc<Vec<ModelInfo>>> {
        let key = provider.fingerprint();
        let (stale, silent) = {
            let cache = self.cache.read();
            match cache.get(&key) {
                Some(Cached { fresh_until, models: Some(models), .. }) if *fresh_until > Instant::now() => {
                    return Ok(models.clone());
                }
                Some(entry) => (entry.models.clone(), entry.silent.is_some_and(|silent| silent.elapsed() < SULK)),
                None => (None, false),
            }
        };
        let asked = if silent {
            None
        } else {
            tokio::time::timeout(self.config.model_list_timeout, self.client.models(provider)).await.ok()
        };
        match (asked, stale) {
            (Some(Ok(models)), _) => {
                let models = Arc::new(models);
                self.keep(
                    key,
                    Cached {
                        fresh_until: Instant::now() + self.config.model_cache,
                        models: Some(models.clone()),
                        silent: None,
                    },
                );
                Ok(models)
            }
            // A refusal of the key is no reason to go on offering what was offered to it.
            (Some(Err(error @ LlmError::Authentication { .. })), _) => Err(error.into()),
            (asked, stale) => {
                if asked.is_none() && !silent {
                    let now = Instant::now();
                    self.keep(key, Cached { fresh_until: now, models: stale.clone(), silent: Some(now) });
                }
                match (asked, stale) {
                    (_, Some(models)) => {
                        tracing::warn!(
                            provider = provider.name(),
                            "the provider does not list its models; using the last list"
                        );
                        Ok(models)
                    }
                    (Some(Err(error)), None) => Err(error.into()),
                    _ => Err(CoreError::Unavailable(format!(
                        "The provider '{}' did not list its models within {} s",
                        provider.name(),
                        self.config.model_list_timeout.as_secs()
                    ))),
                }
            }
        }
    }

    fn keep(&self, key: String, entry: Cached) {
        let mut cache = self.cache.write();
        if cache.len() >= MAX_LISTS && !cache.contains_key(&key) {
            let oldest = cache.iter().min_by_key(|(_, entry)| entry.fresh_until).map(|(key, _)| key.clone());
            oldest.and_then(|key| cache.remove(&key));
        }
        cache.insert(key, entry);
    }
}

impl crate::ProviderConfig {
    /// The provider, as trusted as the operator who named it.
    pub fn provider(&self) -> Provider {
        Provider::new(self.name.clone(), self.kind, self.base_url.clone(), self.api_key.clone())
            .with(self.extras.clone())
    }
}
