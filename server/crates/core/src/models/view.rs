//! Providers as clients read them: never with a secret.

use chrono::{DateTime, Utc};
use mneme_domain::{Actor, Page, ProviderId};
use mneme_macros::boxed;
use mneme_store::providers::{self, StoredProvider};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Core, CoreError, Result};

/// A provider as clients read it; its key never leaves the server.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProviderView {
    #[schema(value_type = String)]
    pub id: ProviderId,
    pub name: String,
    pub provider_type: String,
    /// `base` (set up by the operator) or `byok` (added by a user).
    pub provider_category: String,
    /// Always null.
    pub api_key: Option<String>,
    pub base_url: Option<String>,
    /// Always null.
    pub access_key: Option<String>,
    pub region: Option<String>,
    pub api_version: Option<String>,
    pub updated_at: Option<DateTime<Utc>>,
}

impl From<StoredProvider> for ProviderView {
    fn from(stored: StoredProvider) -> Self {
        Self {
            id: stored.id,
            name: stored.name,
            provider_type: stored.provider_type,
            provider_category: stored.category,
            api_key: None,
            base_url: stored.base_url,
            access_key: None,
            region: stored.region,
            api_version: stored.api_version,
            updated_at: Some(stored.updated_at),
        }
    }
}

#[boxed]
impl Core {
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
        Ok(found.into_iter().map(ProviderView::from).collect())
    }

    /// A provider.
    ///
    /// # Errors
    /// 404 for an unknown one.
    pub async fn get_provider(&self, actor: &Actor, id: &ProviderId) -> Result<ProviderView> {
        Ok(self.stored_provider(actor, id).await?.into())
    }

    pub(super) async fn stored_provider(&self, actor: &Actor, id: &ProviderId) -> Result<StoredProvider> {
        let mut conn = self.store.read().await?;
        providers::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Provider", id))
    }
}
