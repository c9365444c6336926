//! Whether a provider takes its credentials.

use mneme_domain::{Actor, ProviderId};
use mneme_llm::Provider;
use mneme_macros::boxed;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    byok::provider_of,
    manage::{Settings, kind_of},
};
use crate::{Core, CoreError, Result};

/// Credentials to try.
#[derive(Deserialize, ToSchema)]
pub struct CheckProvider {
    /// `openai`, `anthropic`, `azure`, `bedrock`, …
    pub provider_type: String,
    /// The key; of AWS the secret access key; of Vertex the service account's file.
    pub api_key: String,
    /// AWS: the id of the access key.
    #[serde(default)]
    pub access_key: Option<String>,
    /// The region, where a provider has several.
    #[serde(default)]
    pub region: Option<String>,
    /// Where the provider is, when not at the usual place.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The API's version, where a provider has several.
    #[serde(default)]
    pub api_version: Option<String>,
}

#[boxed]
impl Core {
    /// Tries credentials without storing them. Returns what to tell the client.
    ///
    /// # Errors
    /// 401 when the provider refuses them, 422 for settings that make no sense, 502 when it cannot be asked.
    pub async fn check_provider(&self, _actor: &Actor, body: CheckProvider) -> Result<String> {
        let kind = kind_of(&body.provider_type)?;
        let settings = Settings {
            api_key: body.api_key,
            access_key: body.access_key,
            region: body.region,
            base_url: body.base_url,
            api_version: body.api_version,
        };
        let stored = self.as_stored("unnamed".into(), body.provider_type, kind, settings)?;
        self.try_credentials(&provider_of(&stored)?, &stored.provider_type).await
    }

    /// Tries the stored credentials of a provider. Returns what to tell the client.
    ///
    /// # Errors
    /// 404 for an unknown provider, 401 when it refuses them, 502 when it cannot be asked.
    pub async fn check_existing_provider(&self, actor: &Actor, id: &ProviderId) -> Result<String> {
        let stored = self.stored_provider(actor, id).await?;
        let provider = match self.models.provider(&stored.name) {
            Some(provider) if stored.category == super::Category::Base.name() => provider.clone(),
            _ => provider_of(&stored)?,
        };
        self.try_credentials(&provider, &stored.provider_type).await
    }

    async fn try_credentials(&self, provider: &Provider, shown: &str) -> Result<String> {
        let patience = self.config.model_list_timeout;
        match tokio::time::timeout(patience, self.models.client().check(provider)).await {
            Ok(Ok(())) => Ok(format!("Valid api key for provider_type={shown}")),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => {
                Err(CoreError::Unavailable(format!("The provider did not answer within {} s", patience.as_secs())))
            }
        }
    }
}
