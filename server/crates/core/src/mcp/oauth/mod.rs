//! Permissions for servers that ask for one (OAuth 2.1): rmcp knows the protocol (discovery, registration, PKCE, renewal);
//! here is where its requests go, what of it is kept, and that nobody renews twice.

mod client;
mod shelf;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use client::GuardedClient;
use mneme_domain::Actor;
use mneme_macros::boxed;
use mneme_store::mcp::grants::{self, Grant, GrantStatus};
use parking_lot::Mutex;
use rmcp::transport::auth::{AuthError, AuthorizationManager, OAuthClientConfig};
use sha2::{Digest, Sha256};
use shelf::{Record, Shelf};
use tokio::time::timeout;

use super::failure::{Trouble, scrub};
use crate::{Core, CoreError, Result};

/// How this server introduces itself.
const CLIENT_NAME: &str = "Mneme";
/// How long before its end a token is renewed.
const AHEAD: Duration = Duration::from_secs(60);

/// Locks by the identifiers of permissions.
#[derive(Default)]
pub struct Renewals(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Renewals {
    fn of(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        self.0.lock().entry(id.to_owned()).or_default().clone()
    }
}

/// Where a person is sent.
pub struct Begun {
    /// The address that asks them.
    pub url: String,
    /// What the permission is known by.
    pub session: String,
}

fn digest(state: &str) -> String {
    Sha256::digest(state).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn trouble(error: &AuthError) -> Trouble {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut words = Vec::new();
    while let Some(inner) = source {
        words.push(inner.to_string());
        source = inner.source();
    }
    // Errors often repeat what is below them.
    words.dedup_by(|later, earlier| earlier.contains(later.as_str()));
    Trouble::Wrong(format!("authorization: {}", scrub(&words.join(": "), &[])))
}

fn database(error: impl std::fmt::Display) -> Trouble {
    tracing::warn!(%error, "an MCP server's authorization could not be kept");
    Trouble::Wrong("its authorization cannot be kept right now".into())
}

impl Core {
    async fn oauth_manager(&self, record: &Record) -> Result<(AuthorizationManager, Shelf), AuthError> {
        let client = Arc::new(GuardedClient::new(self.mcp.peers.clone()));
        let mut manager = AuthorizationManager::new_with_oauth_http_client(record.server_url.as_str(), client).await?;
        let shelf = Shelf::new(record.clone());
        manager.set_credential_store(shelf.clone());
        manager.set_state_store(shelf.clone());
        Ok((manager, shelf))
    }

    /// A manager that knows the other side and is known there.
    async fn ready_manager(&self, record: &Record) -> Result<(AuthorizationManager, Shelf), AuthError> {
        let (mut manager, shelf) = self.oauth_manager(record).await?;
        let found = manager.resolve_metadata().await?;
        manager.set_metadata(found.metadata);
        let mut config = OAuthClientConfig::new(record.client_id.clone(), record.redirect_uri.clone())
            .with_scopes(record.scopes.clone());
        if let Some(secret) = &record.client_secret {
            config = config.with_client_secret(secret.clone());
        }
        manager.configure_client(config)?;
        Ok((manager, shelf))
    }
}

/// Finds the authorization server, registers there, and makes the address where a person is asked.
#[boxed]
pub async fn begin(
    core: &Arc<Core>,
    actor: &Actor,
    server_name: &str,
    server_url: &str,
    redirect: &str,
    challenge: Option<&str>,
) -> Result<Begun, Trouble> {
    let limit = core.mcp.settings.discovery;
    let begun = timeout(limit, async {
        let record = Record::new(server_url, redirect, core.env.now().timestamp());
        let (mut manager, shelf) = core.oauth_manager(&record).await?;
        let found = manager.resolve_metadata_from_challenge(challenge).await?;
        manager.set_metadata(found.metadata);
        let scopes = manager.select_scopes(None, &[]);
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let client = manager.register_client(CLIENT_NAME, redirect, &scopes).await?;
        let url = manager.get_authorization_url(&scopes).await?;
        Ok::<_, AuthError>((url, shelf.registered(&client)))
    });
    let (url, record) = match begun.await {
        Err(_) => return Err(Trouble::Timeout("authorization", limit)),
        Ok(Err(error)) => return Err(trouble(&error)),
        Ok(Ok(begun)) => begun,
    };
    let web = url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    let Some(pending) = record.pending.as_ref().filter(|_| web) else {
        return Err(Trouble::Wrong("its authorization server names an address that is none".into()));
    };
    let state = digest(&pending.csrf_token);
    let grant = Grant {
        id: format!("mcp-oauth-{}", core.env.uuid().hyphenated()),
        server_name: server_name.to_owned(),
        status: GrantStatus::Pending,
        error: None,
        record: record.text().map_err(database)?,
    };
    let kept = async {
        let mut tx = core.store.write().await?;
        grants::put(&mut tx, actor, &grant, Some(&state)).await?;
        tx.commit().await
    };
    kept.await.map_err(database)?;
    Ok(Begun { url, session: grant.id })
}

/// What a browser brings back.
#[derive(Debug, Clone, Default)]
pub struct McpCallback {
    /// What the permission under way is known by.
    pub state: String,
    /// The code to exchange for tokens.
    pub code: Option<String>,
    /// Who says so (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

#[boxed]
impl Core {
    /// A browser came back from an authorization server. Nobody is logged in here: the state, which only that browser
    /// was given, says whose permission it is. Returns the server's name.
    ///
    /// # Errors
    /// 404 for a state that is unknown or was used, 400 when the permission was refused or could not be had.
    pub async fn finish_mcp_permission(self: &Arc<Self>, callback: McpCallback) -> Result<String> {
        let found = {
            let mut conn = self.store.read().await?;
            grants::by_state(&mut conn, &digest(&callback.state)).await?
        };
        let unknown = || CoreError::NotFound("No authorization is under way here; begin it again".into());
        let (actor, grant) = found.ok_or_else(unknown)?;
        let record = Record::read(&grant.record).map_err(|error| CoreError::Internal(error.to_string()))?;
        let age = self.env.now().timestamp() - record.begun_at;
        if u64::try_from(age).is_ok_and(|age| age > self.mcp.settings.permission.as_secs()) {
            return Err(unknown());
        }
        // Two browsers with one state: the first one counts.
        let lock = self.mcp.renewals.of(&grant.id);
        let _one = lock.lock().await;
        let exchanged = self.exchanged(&record, &callback).await;
        let (status, error, record) = match &exchanged {
            Ok(record) => (GrantStatus::Granted, None, record.clone()),
            Err(reason) => (GrantStatus::Failed, Some(reason.clone()), Record { pending: None, ..record }),
        };
        let text = record.text().map_err(|error| CoreError::Internal(error.to_string()))?;
        let settled = Grant { status, error, record: text, ..grant };
        let mut tx = self.store.write().await?;
        if !grants::settle(&mut tx, &actor, &settled).await? {
            return Err(unknown());
        }
        tx.commit().await?;
        match exchanged {
            Ok(_) => Ok(settled.server_name),
            Err(reason) => Err(CoreError::Invalid(reason)),
        }
    }

    /// Exchanges the code for tokens.
    async fn exchanged(&self, record: &Record, callback: &McpCallback) -> Result<Record, String> {
        if let Some(error) = &callback.error {
            return Err(format!("it was refused ({})", scrub(error, &[])));
        }
        let code = callback.code.as_deref().ok_or("the browser brought no code back")?;
        let done = timeout(self.mcp.settings.discovery, async {
            let (manager, shelf) = self.ready_manager(record).await?;
            manager.exchange_code_for_token_with_issuer(code, &callback.state, callback.iss.as_deref()).await?;
            Ok::<_, AuthError>(shelf.record())
        });
        match done.await {
            Err(_) => Err("the authorization server did not answer in time".into()),
            Ok(Err(error)) => Err(trouble(&error).text()),
            Ok(Ok(record)) => Ok(record),
        }
    }
}

/// Somebody's permission for a server, as a connection uses it.
pub struct Permission {
    core: Weak<Core>,
    actor: Actor,
    server_name: String,
    /// The token, and until when it needs no renewal, in seconds since 1970.
    token: Mutex<Option<(String, i64)>>,
}

#[boxed]
impl Permission {
    /// The permission for a server at an address, if one was given.
    ///
    /// # Errors
    /// Without a database.
    pub async fn find(core: &Arc<Core>, actor: &Actor, name: &str, url: &str) -> Result<Option<Self>, Trouble> {
        let found = async {
            let mut conn = core.store.read().await?;
            grants::by_name(&mut conn, actor, name).await
        };
        let granted = found.await.map_err(database)?.filter(|grant| grant.status == GrantStatus::Granted);
        let Some(grant) = granted else { return Ok(None) };
        let record = Record::read(&grant.record).map_err(database)?;
        // A permission for another address is none for this one.
        Ok((record.server_url == url).then(|| Self {
            core: Arc::downgrade(core),
            actor: actor.clone(),
            server_name: name.to_owned(),
            token: Mutex::new(None),
        }))
    }

    /// A token that is valid now.
    ///
    /// # Errors
    /// When there is none any more.
    pub async fn token(&self) -> Result<String, Trouble> {
        let core = self.core.upgrade().ok_or(Trouble::Permission(None))?;
        let now = core.env.now().timestamp();
        if let Some((token, until)) = &*self.token.lock()
            && now < *until
        {
            return Ok(token.clone());
        }
        let (grant, record) = self.read(&core).await?;
        let record = match record.valid_until() {
            Some(until) if now < until => record,
            _ => self.renewed(&core, &grant.id, None).await?,
        };
        self.remembered(&record)
    }

    /// A token in place of one that the server refused although its time was not over.
    ///
    /// # Errors
    /// When there is none any more.
    pub async fn renew(&self, refused: &str) -> Result<String, Trouble> {
        let core = self.core.upgrade().ok_or(Trouble::Permission(None))?;
        let (grant, _) = self.read(&core).await?;
        let record = self.renewed(&core, &grant.id, Some(refused)).await?;
        self.remembered(&record)
    }

    fn remembered(&self, record: &Record) -> Result<String, Trouble> {
        let token = record.token().ok_or(Trouble::Permission(None))?;
        let until = record.valid_until().unwrap_or(i64::MAX);
        *self.token.lock() = Some((token.clone(), until));
        Ok(token)
    }

    async fn read(&self, core: &Core) -> Result<(Grant, Record), Trouble> {
        let found = async {
            let mut conn = core.store.read().await?;
            grants::by_name(&mut conn, &self.actor, &self.server_name).await
        };
        let grant = found.await.map_err(database)?.ok_or(Trouble::Permission(None))?;
        let record = Record::read(&grant.record).map_err(database)?;
        Ok((grant, record))
    }

    /// Renews the token, unless somebody just did: then there is one that is valid and not the refused one.
    async fn renewed(&self, core: &Arc<Core>, id: &str, refused: Option<&str>) -> Result<Record, Trouble> {
        let lock = core.mcp.renewals.of(id);
        let _one = lock.lock().await;
        let (grant, record) = self.read(core).await?;
        let another = refused.is_none_or(|refused| record.token().is_some_and(|token| token != refused));
        if another && record.valid_until().is_some_and(|until| core.env.now().timestamp() < until) {
            return Ok(record);
        }
        let limit = core.mcp.settings.discovery;
        let renewed = timeout(limit, async {
            let (manager, shelf) = core.ready_manager(&record).await?;
            manager.refresh_token().await?;
            Ok::<_, AuthError>(shelf.record())
        });
        let record = match renewed.await {
            Err(_) => return Err(Trouble::Timeout("renewal of the authorization", limit)),
            Ok(Err(AuthError::AuthorizationRequired | AuthError::TokenRefreshRejected(_))) => {
                return Err(Trouble::Permission(None));
            }
            Ok(Err(error)) => return Err(trouble(&error)),
            Ok(Ok(record)) => record,
        };
        let settled = Grant { record: record.text().map_err(database)?, ..grant };
        let kept = async {
            let mut tx = core.store.write().await?;
            grants::settle(&mut tx, &self.actor, &settled).await?;
            tx.commit().await
        };
        kept.await.map_err(database)?;
        Ok(record)
    }
}

impl Record {
    /// Until when the token needs no renewal, in seconds since 1970.
    fn valid_until(&self) -> Option<i64> {
        let credentials = self.credentials.as_ref()?;
        let told = serde_json::to_value(credentials.token_response.as_ref()?).ok()?;
        let received = i64::try_from(credentials.token_received_at?).ok()?;
        let Some(lasts) = told.get("expires_in").and_then(serde_json::Value::as_i64) else { return Some(i64::MAX) };
        // A short one is used for half of its time at least.
        Some(received.saturating_add(lasts - AHEAD.as_secs().cast_signed().min(lasts / 2)))
    }

    fn token(&self) -> Option<String> {
        let told = serde_json::to_value(self.credentials.as_ref()?.token_response.as_ref()?).ok()?;
        Some(told.get("access_token")?.as_str()?.to_owned())
    }
}
