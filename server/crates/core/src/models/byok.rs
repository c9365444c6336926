//! Providers that users added, as the client for models takes them.

use mneme_domain::{Actor, Page};
use mneme_llm::{Extras, Provider, ProviderKind};
use mneme_store::{
    Conn,
    providers::{self, StoredProvider},
};
use url::Url;

use super::Category;
use crate::{Core, CoreError, Result};

/// Providers that an organisation may have.
pub(super) const MOST: usize = 200;

/// A provider that an organisation can use.
pub(crate) struct Found {
    pub provider: Provider,
    pub category: Category,
}

/// What the client needs to ask a stored provider.
///
/// # Errors
/// For one without an address, or of a type that this version does not know.
pub(super) fn provider_of(stored: &StoredProvider) -> Result<Provider> {
    let kind = ProviderKind::from_name(&stored.provider_type).ok_or_else(|| {
        CoreError::Invalid(format!("The provider '{}' is of a type that this server does not know", stored.name))
    })?;
    let url = match &stored.base_url {
        Some(text) => Url::parse(text).ok(),
        None => kind.default_url(stored.region.as_deref()),
    };
    let url = url.ok_or_else(|| CoreError::Invalid(format!("The provider '{}' has no address", stored.name)))?;
    let extras = Extras {
        api_version: stored.api_version.clone(),
        region: stored.region.clone(),
        access_key: stored.access_key.clone().map(Into::into),
        ..Extras::default()
    };
    let key = stored.api_key.clone().map(Into::into);
    Ok(Provider::new(stored.name.clone(), kind.at(&url), url, key).with(extras).guarded())
}

impl Core {
    /// A provider by name: the operator's, else the organisation's own.
    pub(crate) async fn provider_named(&self, actor: &Actor, name: &str) -> Result<Option<Found>> {
        if let Some(provider) = self.models.provider(name) {
            return Ok(Some(Found { provider: provider.clone(), category: Category::Base }));
        }
        self.own_provider(actor, name).await
    }

    /// A provider of the organisation's own by name.
    pub(super) async fn own_provider(&self, actor: &Actor, name: &str) -> Result<Option<Found>> {
        let mut conn = self.store.read().await?;
        let stored = own(&mut conn, actor, Some(name)).await?.into_iter().next();
        stored.map(|stored| Ok(Found { provider: provider_of(&stored)?, category: Category::Byok })).transpose()
    }

    /// All providers that the organisation can use, the operator's first.
    pub(super) async fn usable_providers(&self, actor: &Actor) -> Result<Vec<Found>> {
        let mut found = self.operators_providers();
        found.extend(self.own_providers(actor).await?);
        Ok(found)
    }

    /// The operator's providers.
    pub(super) fn operators_providers(&self) -> Vec<Found> {
        let base = self.models.providers().iter().cloned();
        base.map(|provider| Found { provider, category: Category::Base }).collect()
    }

    /// The organisation's own providers. One that has the name of one of the operator's is hidden by it.
    pub(super) async fn own_providers(&self, actor: &Actor) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        let mut conn = self.store.read().await?;
        for stored in own(&mut conn, actor, None).await? {
            if self.models.provider(&stored.name).is_some() {
                continue;
            }
            match provider_of(&stored) {
                Ok(provider) => found.push(Found { provider, category: Category::Byok }),
                Err(error) => tracing::warn!(provider = %stored.id, %error, "a stored provider cannot be used"),
            }
        }
        Ok(found)
    }
}

/// The organisation's own providers, of a name when one is given.
pub(super) async fn own(conn: &mut Conn, actor: &Actor, name: Option<&str>) -> Result<Vec<StoredProvider>> {
    let mut found = providers::list(conn, actor, name, None, &Page::all()).await?;
    found.retain(|stored| stored.category == Category::Byok.name());
    Ok(found)
}
