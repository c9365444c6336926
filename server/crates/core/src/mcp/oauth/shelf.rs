//! What is kept of a permission. rmcp reads and writes it here; who began the work writes it to the database when that is
//! done.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use rmcp::transport::auth::{
    AuthError, CredentialStore, OAuthClientConfig, StateStore, StoredAuthorizationState, StoredCredentials,
};
use serde::{Deserialize, Serialize};

/// A permission: who we are at the authorization server, what is under way, and the tokens. Encrypted at rest.
#[derive(Clone, Serialize, Deserialize)]
pub struct Record {
    /// The server that it is for.
    pub server_url: String,
    /// Where browsers come back.
    pub redirect_uri: String,
    /// When it was begun, in seconds since 1970.
    pub begun_at: i64,
    pub client_id: String,
    pub client_secret: Option<String>,
    pub scopes: Vec<String>,
    pub pending: Option<StoredAuthorizationState>,
    pub credentials: Option<StoredCredentials>,
}

impl Record {
    /// Nothing yet.
    pub fn new(server_url: &str, redirect_uri: &str, begun_at: i64) -> Self {
        Self {
            server_url: server_url.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            begun_at,
            client_id: String::new(),
            client_secret: None,
            scopes: Vec::new(),
            pending: None,
            credentials: None,
        }
    }

    /// Reads a stored one.
    pub fn read(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// As it is stored.
    pub fn text(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

/// A record at work.
#[derive(Clone)]
pub struct Shelf(Arc<Mutex<Record>>);

impl Shelf {
    pub fn new(record: Record) -> Self {
        Self(Arc::new(Mutex::new(record)))
    }

    /// The record as it is now.
    pub fn record(&self) -> Record {
        self.0.lock().clone()
    }

    /// The record with the registration that it was made with.
    pub fn registered(&self, client: &OAuthClientConfig) -> Record {
        let mut record = self.record();
        record.client_id = client.client_id.clone();
        record.client_secret = client.client_secret.clone();
        record.scopes = client.scopes.clone();
        record
    }
}

#[async_trait]
impl CredentialStore for Shelf {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        Ok(self.0.lock().credentials.clone())
    }

    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        self.0.lock().credentials = Some(credentials);
        Ok(())
    }

    async fn clear(&self) -> Result<(), AuthError> {
        self.0.lock().credentials = None;
        Ok(())
    }
}

#[async_trait]
impl StateStore for Shelf {
    async fn save(&self, _: &str, state: StoredAuthorizationState) -> Result<(), AuthError> {
        self.0.lock().pending = Some(state);
        Ok(())
    }

    async fn load(&self, csrf_token: &str) -> Result<Option<StoredAuthorizationState>, AuthError> {
        Ok(self.0.lock().pending.clone().filter(|state| state.csrf_token == csrf_token))
    }

    async fn delete(&self, _: &str) -> Result<(), AuthError> {
        self.0.lock().pending = None;
        Ok(())
    }
}
