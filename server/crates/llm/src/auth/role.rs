//! The credentials of the machine itself at AWS: of a container (ECS, EKS), or of an instance (EC2, IMDSv2). They are
//! temporary, and kept until shortly before they end. Only the operator's own provider is asked with them.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use reqwest::{Method, RequestBuilder, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::with;
use crate::{
    error::LlmError,
    http::Transport,
    json::str_at,
    provider::{Provider, join},
    retry::Failure,
};

/// How long before their end they are asked for again.
const MARGIN: Duration = Duration::from_secs(300);
/// Without a stated end they are kept this long.
const UNSTATED: Duration = Duration::from_secs(600);
/// The longest that they are kept.
const LONGEST: Duration = Duration::from_secs(6 * 3600);
/// How long the machine may take for all its answers: it is near, or it is not there.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the session with an instance's metadata service shall last, in seconds.
const SESSION_SECONDS: &str = "60";
/// Where an instance names its role.
const ROLES: &str = "latest/meta-data/iam/security-credentials/";

/// Where a machine at AWS is asked for its own credentials.
#[derive(Debug, Clone)]
pub enum AwsRole {
    /// A container's, with the token that goes with the request, or the file that holds the newest one.
    Container {
        /// The whole address.
        url: Url,
        /// The token.
        token: Option<SecretString>,
        /// The file with it.
        token_file: Option<PathBuf>,
    },
    /// An instance's.
    Instance {
        /// Where the metadata service is.
        endpoint: Url,
    },
}

/// An access key with what belongs to it.
#[derive(Clone)]
pub(super) struct Keys {
    pub id: SecretString,
    pub secret: SecretString,
    /// Of temporary ones.
    pub session_token: Option<SecretString>,
}

#[derive(Clone)]
struct Kept {
    keys: Keys,
    until: Instant,
}

/// Credentials by provider, shared by the clones of a client.
#[derive(Clone, Default)]
pub(crate) struct Roles(Arc<Mutex<HashMap<u64, Kept>>>);

impl Roles {
    /// The credentials of the machine, kept or asked for.
    pub(super) async fn of(
        &self,
        transport: &Transport,
        provider: &Provider,
        deadline: Instant,
    ) -> Result<Keys, Failure> {
        // Whoever is not trusted with the network is not trusted with the machine's own identity.
        let role = provider.extras().role.as_ref().filter(|_| !provider.is_guarded());
        let Some(role) = role else { return Err(refused("an access key is needed").into()) };
        let identity = provider.identity();
        {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(kept) = kept.get(&identity).filter(|kept| kept.until > Instant::now()) {
                return Ok(kept.keys.clone());
            }
        }
        let asking = Asking { transport, provider, deadline: deadline.min(Instant::now() + PATIENCE) };
        let answer = match role {
            AwsRole::Container { url, token, token_file } => asking.container(url, token, token_file).await,
            AwsRole::Instance { endpoint } => asking.instance(endpoint).await,
        };
        let fresh = read(&answer.map_err(of_the_machine)?)?;
        // The operator's providers are few.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(identity, fresh.clone());
        Ok(fresh.keys)
    }
}

struct Asking<'a> {
    transport: &'a Transport,
    provider: &'a Provider,
    deadline: Instant,
}

impl Asking<'_> {
    async fn container(
        &self,
        url: &Url,
        token: &Option<SecretString>,
        token_file: &Option<PathBuf>,
    ) -> Result<Value, Failure> {
        let request = self.transport.client.get(url.clone());
        // The file's is renewed while the server runs.
        let token = match token_file {
            Some(file) => {
                let read = tokio::fs::read_to_string(file).await;
                Some(read.map_err(|_| refused("the file with the container's token cannot be read"))?)
            }
            None => token.as_ref().map(|token| token.expose_secret().to_owned()),
        };
        let request = with(request, AUTHORIZATION.as_str(), token.map(|token| token.trim().to_owned()))?;
        self.transport.answer_of(request, self.provider, "", self.deadline).await
    }

    async fn instance(&self, endpoint: &Url) -> Result<Value, Failure> {
        let client = &self.transport.client;
        let asked = client.request(Method::PUT, join(endpoint, "latest/api/token"));
        let session = self.text(asked.header("x-aws-ec2-metadata-token-ttl-seconds", SESSION_SECONDS)).await?;
        let get = |path: &str| client.get(join(endpoint, path)).header("x-aws-ec2-metadata-token", session.trim());
        let roles = self.text(get(ROLES)).await?;
        let role = roles.lines().map(str::trim).find(|line| !line.is_empty());
        let role = role.ok_or_else(|| refused("the instance has no role"))?;
        self.transport.answer_of(get(&format!("{ROLES}{role}")), self.provider, "", self.deadline).await
    }

    async fn text(&self, request: RequestBuilder) -> Result<String, Failure> {
        let mut body = self.transport.exchange(request, self.provider, "", self.deadline).await?;
        body.text().await
    }
}

/// What was answered, and until when it is good.
#[expect(clippy::disallowed_methods, reason = "AWS names the end in real time")]
fn read(answer: &Value) -> Result<Kept, Failure> {
    let secret = |key: &str| str_at(answer, key).map(|text| SecretString::from(text.to_owned()));
    let (Some(id), Some(key)) = (secret("AccessKeyId"), secret("SecretAccessKey")) else {
        return Err(refused("the machine's answer holds no credentials").into());
    };
    let end = str_at(answer, "Expiration").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let lasts = match end {
        // What is over lasts no time.
        Some(end) => (end.to_utc() - Utc::now()).to_std().unwrap_or_default().saturating_sub(MARGIN),
        None => UNSTATED,
    };
    let keys = Keys { id, secret: key, session_token: secret("Token") };
    Ok(Kept { keys, until: Instant::now() + lasts.min(LONGEST) })
}

/// Says that it was the machine and not the provider. What it does not know or says wrongly are missing credentials; what
/// may pass is tried again.
fn of_the_machine(failure: Failure) -> Failure {
    let message = format!("the machine gives no credentials: {}", failure.error);
    match failure.error {
        LlmError::BadRequest { status, .. } | LlmError::NotFound { status, .. } => {
            LlmError::Authentication { message, status }.into()
        }
        LlmError::Malformed { .. } => LlmError::Authentication { message, status: None }.into(),
        LlmError::Connection { .. } | LlmError::Timeout { .. } => LlmError::Connection { message }.into(),
        _ => failure,
    }
}

fn refused(message: &str) -> LlmError {
    LlmError::Authentication { message: message.to_owned(), status: None }
}
