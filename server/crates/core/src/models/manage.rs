//! Providers that users add with keys of their own: add, change, delete.

use mneme_domain::{Actor, Patch, ProviderId, Role};
use mneme_llm::ProviderKind;
use mneme_macros::boxed;
use mneme_store::{
    StoreError,
    providers::{self, StoredProvider},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    Category, ProviderView,
    byok::{self, provider_of},
};
use crate::{Core, CoreError, Result, embedding::LOCAL, outbound::OutboundError};

/// Names are a part of handles and of log lines.
const MAX_NAME: usize = 100;
/// A service account's file is the longest of credentials.
const MAX_FIELD: usize = 20_000;

/// A provider to add.
#[derive(Deserialize, ToSchema)]
pub struct CreateProvider {
    /// The part of a model handle before the slash.
    pub name: String,
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

/// A change of a provider. The key has to be given again: who does not have it cannot have it sent to another address.
#[derive(Deserialize, ToSchema)]
pub struct UpdateProvider {
    /// The key.
    pub api_key: String,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub access_key: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub region: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub base_url: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub api_version: Patch<String>,
}

/// What a provider is asked with.
pub(super) struct Settings {
    pub api_key: String,
    pub access_key: Option<String>,
    pub region: Option<String>,
    pub base_url: Option<String>,
    pub api_version: Option<String>,
}

/// The kind of a `provider_type`.
pub(super) fn kind_of(provider_type: &str) -> Result<ProviderKind> {
    ProviderKind::from_name(provider_type).ok_or_else(|| {
        let mut known: Vec<&str> = ProviderKind::all().flat_map(|kind| [kind.api_name(), kind.name()]).collect();
        known.sort_unstable();
        known.dedup();
        CoreError::Unprocessable {
            loc: vec!["body".into(), "provider_type".into()],
            kind: "enum".into(),
            msg: format!("Input should be one of '{}'", known.join("', '")),
        }
    })
}

#[boxed]
impl Core {
    /// Adds a provider for the organisation.
    ///
    /// # Errors
    /// 403 for those who may not, 409 for a name that is taken, 422 for settings that make no sense.
    pub async fn create_provider(&self, actor: &Actor, body: CreateProvider) -> Result<ProviderView> {
        may_manage(actor)?;
        let kind = kind_of(&body.provider_type)?;
        let name = body.name.trim().to_owned();
        check_name(&name)?;
        let taken = || CoreError::Conflict(format!("A provider with the name '{name}' exists already"));
        if self.models.provider(&name).is_some() {
            return Err(taken());
        }
        let settings = Settings {
            api_key: body.api_key,
            access_key: body.access_key,
            region: body.region,
            base_url: body.base_url,
            api_version: body.api_version,
        };
        let stored = self.as_stored(name.clone(), body.provider_type, kind, settings)?;
        let mut tx = self.store.write().await?;
        if byok::own(&mut tx, actor, None).await?.len() >= byok::MOST {
            return Err(CoreError::Invalid(format!("An organisation can have {} providers at most", byok::MOST)));
        }
        match providers::insert(&mut tx, actor, &stored).await {
            Err(StoreError::Conflict(_)) => return Err(taken()),
            other => other?,
        }
        tx.commit().await?;
        tracing::info!(provider = %stored.id, kind = kind.name(), "a provider was added");
        Ok(stored.into())
    }

    /// Changes a provider that a user added.
    ///
    /// # Errors
    /// 403 for those who may not and for the operator's providers, 404 for an unknown one, 422 for settings that make
    /// no sense.
    pub async fn update_provider(&self, actor: &Actor, id: &ProviderId, body: UpdateProvider) -> Result<ProviderView> {
        let stored = self.changeable(actor, id).await?;
        let kind = kind_of(&stored.provider_type)?;
        let mut settings = Settings {
            api_key: body.api_key,
            access_key: stored.access_key,
            region: stored.region,
            base_url: stored.base_url,
            api_version: stored.api_version,
        };
        body.access_key.apply(&mut settings.access_key);
        body.region.apply(&mut settings.region);
        body.base_url.apply(&mut settings.base_url);
        body.api_version.apply(&mut settings.api_version);
        let fresh = self.as_stored(stored.name, stored.provider_type, kind, settings)?;
        let changed = StoredProvider { id: stored.id, created_at: stored.created_at, ..fresh };
        let mut tx = self.store.write().await?;
        match providers::update(&mut tx, actor, &changed).await {
            Err(StoreError::NotFound) => return Err(CoreError::missing("Provider", id)),
            other => other?,
        }
        tx.commit().await?;
        tracing::info!(provider = %id, "a provider was changed");
        Ok(changed.into())
    }

    /// Deletes a provider that a user added. Its models are gone with it; agents that use one say so when they are
    /// asked.
    ///
    /// # Errors
    /// 403 for those who may not and for the operator's providers, 404 for an unknown one.
    pub async fn delete_provider(&self, actor: &Actor, id: &ProviderId) -> Result<()> {
        self.changeable(actor, id).await?;
        let mut tx = self.store.write().await?;
        if !providers::delete(&mut tx, actor, id).await? {
            return Err(CoreError::missing("Provider", id));
        }
        tx.commit().await?;
        tracing::info!(provider = %id, "a provider was deleted");
        Ok(())
    }

    async fn changeable(&self, actor: &Actor, id: &ProviderId) -> Result<StoredProvider> {
        let stored = self.stored_provider(actor, id).await?;
        may_manage(actor)?;
        if stored.category == Category::Base.name() {
            return Err(CoreError::Forbidden(format!(
                "The provider '{}' is set up by the operator, in the server's settings",
                stored.name
            )));
        }
        Ok(stored)
    }

    /// The settings as they are stored, once they are known to make sense.
    pub(super) fn as_stored(
        &self,
        name: String,
        provider_type: String,
        kind: ProviderKind,
        settings: Settings,
    ) -> Result<StoredProvider> {
        let Settings { api_key, access_key, region, base_url, api_version } = settings;
        let api_key = tidy("api_key", Some(api_key))?;
        let base_url = tidy("base_url", base_url)?;
        if let Some(url) = &base_url {
            self.check_address(url)?;
        }
        let now = self.env.now();
        let stored = StoredProvider {
            id: ProviderId::from_uuid(self.env.uuid()),
            name,
            provider_type,
            category: Category::Byok.name().into(),
            base_url,
            api_key,
            access_key: tidy("access_key", access_key)?,
            region: tidy("region", region)?,
            api_version: tidy("api_version", api_version)?,
            created_at: now,
            updated_at: now,
        };
        if stored.base_url.is_none() && kind.default_url(stored.region.as_deref()).is_none() {
            let what = if kind == ProviderKind::Bedrock { "region" } else { "base_url" };
            return Err(CoreError::field(what, format!("providers of the type '{}' need one", stored.provider_type)));
        }
        provider_of(&stored)?.validate().map_err(|reason| CoreError::field("api_key", reason))?;
        Ok(stored)
    }

    /// An address that users may have asked. What a name resolves to is checked again whenever it is.
    fn check_address(&self, text: &str) -> Result<()> {
        match self.outbound.check(text) {
            Ok(url) if url.username().is_empty() && url.password().is_none() => Ok(()),
            Ok(_) => Err(CoreError::field("base_url", "must not hold credentials")),
            Err(OutboundError::NotWeb(_)) => Err(CoreError::field("base_url", "must be an http or https address")),
            Err(_) => Err(CoreError::field(
                "base_url",
                "the address is not public; providers in private networks are set up by the operator",
            )),
        }
    }
}

fn may_manage(actor: &Actor) -> Result<()> {
    match actor.role {
        Role::Admin => Ok(()),
        Role::Viewer | Role::Member => Err(CoreError::Forbidden("Only administrators manage providers".into())),
    }
}

fn check_name(name: &str) -> Result<()> {
    let sound =
        !name.is_empty() && name.chars().count() <= MAX_NAME && !name.chars().any(|c| c == '/' || c.is_control());
    if !sound {
        let rule = format!("must be 1 to {MAX_NAME} characters without slashes");
        return Err(CoreError::field("name", rule));
    }
    if name == "letta" || name == LOCAL {
        return Err(CoreError::field("name", format!("'{name}' has a meaning of its own; take another name")));
    }
    Ok(())
}

/// A field without the blanks around it; an empty one is none.
fn tidy(field: &str, value: Option<String>) -> Result<Option<String>> {
    let Some(value) = value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    if value.len() > MAX_FIELD {
        return Err(CoreError::field(field, format!("must not be longer than {MAX_FIELD} bytes")));
    }
    if value.contains('\0') {
        return Err(CoreError::field(field, "must not hold the character NUL"));
    }
    Ok(Some(value))
}
