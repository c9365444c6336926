//! Google Cloud's access tokens: from a service account's file, from a user's application default credentials, or from
//! the metadata service of the machine. A token is kept until shortly before it ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use crate::{
    error::LlmError,
    http::Transport,
    json::{str_at, u64_at},
    provider::Provider,
    retry::Failure,
};

/// What the tokens are for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Where Google exchanges credentials for tokens.
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
/// The metadata service of Google's machines.
const METADATA_HOST: &str = "metadata.google.internal";
/// A token is renewed this long before it ends.
const MARGIN: Duration = Duration::from_secs(120);
/// A token without a stated end is kept this long.
const UNSTATED: Duration = Duration::from_secs(600);
/// More sets of credentials than any installation has; beyond it all tokens are asked for anew.
const MAX_TOKENS: usize = 1000;

/// The files that Google gives out.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Credentials {
    ServiceAccount {
        client_email: String,
        private_key: SecretString,
        token_uri: Option<String>,
        project_id: Option<String>,
    },
    AuthorizedUser {
        client_id: String,
        client_secret: SecretString,
        refresh_token: SecretString,
        quota_project_id: Option<String>,
    },
    #[serde(other)]
    Other,
}

impl Credentials {
    /// Reads a file's text; `None` when it is no such file.
    fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The project that a file belongs to.
pub(crate) fn project_of(file: &str) -> Option<String> {
    match Credentials::read(file)? {
        Credentials::ServiceAccount { project_id, .. } => project_id,
        Credentials::AuthorizedUser { quota_project_id, .. } => quota_project_id,
        Credentials::Other => None,
    }
}

/// The project that a user's credentials have to name; a service account belongs to one.
pub(super) fn quota_project(provider: &Provider) -> Option<String> {
    match Credentials::read(provider.api_key()?.expose_secret())? {
        Credentials::AuthorizedUser { quota_project_id, .. } => provider.extras().project.clone().or(quota_project_id),
        Credentials::ServiceAccount { .. } | Credentials::Other => None,
    }
}

/// What is wrong with a text that should be a service account's file; the text itself is not repeated.
pub(crate) fn service_account_fault(text: &str) -> Option<&'static str> {
    match Credentials::read(text) {
        Some(Credentials::ServiceAccount { private_key, .. }) if key_pair(&private_key).is_none() => {
            Some("the private key of the service account cannot be read")
        }
        Some(Credentials::ServiceAccount { .. } | Credentials::AuthorizedUser { .. }) => None,
        Some(Credentials::Other) => {
            Some("only files of service accounts and of users' default credentials can be used")
        }
        None => Some("is not the JSON file of a service account"),
    }
}

#[derive(Clone)]
struct Token {
    secret: SecretString,
    until: Instant,
}

/// Tokens by provider, shared by the clones of a client.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Arc<Mutex<HashMap<u64, Token>>>);

impl Tokens {
    /// A token for the provider, kept or asked for.
    pub async fn of(
        &self,
        transport: &Transport,
        provider: &Provider,
        deadline: Instant,
    ) -> Result<SecretString, Failure> {
        let identity = provider.identity();
        {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(token) = kept.get(&identity).filter(|token| token.until > Instant::now()) {
                return Ok(token.secret.clone());
            }
        }
        let token = ask(transport, provider, deadline).await?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_TOKENS {
            kept.clear();
        }
        kept.insert(identity, token.clone());
        Ok(token.secret)
    }
}

async fn ask(transport: &Transport, provider: &Provider, deadline: Instant) -> Result<Token, Failure> {
    let Some(file) = provider.api_key().map(ExposeSecret::expose_secret).filter(|text| !text.is_empty()) else {
        // Whoever is not trusted with the network is not trusted with the machine's own identity.
        if provider.is_guarded() {
            return Err(refused("a service account's file is needed").into());
        }
        let host = provider.extras().metadata_host.as_deref().unwrap_or(METADATA_HOST);
        let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token");
        let url = Url::parse(&url).map_err(|_| refused("the metadata service's host is no host"))?;
        let request = transport.client.get(url).header("metadata-flavor", "Google");
        return read(transport.answer_of(request, provider, "", deadline).await);
    };
    let (url, form) = match Credentials::read(file) {
        Some(Credentials::ServiceAccount { client_email, private_key, token_uri, .. }) => {
            let url = token_uri.unwrap_or_else(|| TOKEN_URL.to_owned());
            #[expect(clippy::disallowed_methods, reason = "Google compares the assertion's time with the real one")]
            let now = chrono::Utc::now().timestamp();
            let assertion = assertion(&client_email, &private_key, &url, now)
                .ok_or_else(|| refused("the private key of the service account cannot be read"))?;
            let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned();
            (url, vec![("grant_type", grant), ("assertion", assertion)])
        }
        Some(Credentials::AuthorizedUser { client_id, client_secret, refresh_token, .. }) => {
            let form = vec![
                ("grant_type", "refresh_token".to_owned()),
                ("client_id", client_id),
                ("client_secret", client_secret.expose_secret().to_owned()),
                ("refresh_token", refresh_token.expose_secret().to_owned()),
            ];
            (TOKEN_URL.to_owned(), form)
        }
        Some(Credentials::Other) | None => {
            return Err(refused("the credentials are no file of a service account or a user").into());
        }
    };
    let url = Url::parse(&url).map_err(|_| refused("the credentials name no address for tokens"))?;
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let client = transport.client_for(provider, &url)?;
    let request =
        client.request(Method::POST, url).header("content-type", "application/x-www-form-urlencoded").body(body);
    read(transport.answer_of(request, provider, "", deadline).await)
}

/// The token in an answer. Whatever Google finds fault with is the credentials.
fn read(answer: Result<Value, Failure>) -> Result<Token, Failure> {
    let answer = answer.map_err(|failure| match failure.error {
        LlmError::BadRequest { message, status } | LlmError::NotFound { message, status, .. } => {
            LlmError::Authentication { message, status }.into()
        }
        _ => failure,
    })?;
    let secret = str_at(&answer, "access_token").ok_or_else(|| LlmError::malformed("Google's answer has no token"))?;
    let lasts = u64_at(&answer, "expires_in").map_or(UNSTATED, Duration::from_secs);
    let until = Instant::now() + lasts.min(Duration::from_secs(86_400)).saturating_sub(MARGIN);
    Ok(Token { secret: secret.to_owned().into(), until })
}

fn refused(message: &str) -> LlmError {
    LlmError::Authentication { message: message.to_owned(), status: None }
}

fn key_pair(pem: &SecretString) -> Option<RsaKeyPair> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.expose_secret().as_bytes()).ok()?;
    RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok()
}

/// The signed claim (RFC 7523) that is exchanged for a token.
fn assertion(email: &str, key: &SecretString, audience: &str, now: i64) -> Option<String> {
    let pair = key_pair(key)?;
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"iss": email, "scope": SCOPE, "aud": audience, "iat": now, "exp": now + 3600});
    let text = format!("{}.{}", part(json!({"alg": "RS256", "typ": "JWT"})), part(claims));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).ok()?;
    Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
