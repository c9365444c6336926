//! One HTTP exchange with a provider: headers out, status and a bounded, timed body back. No retries here.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{Client, Method, RequestBuilder, Response, header::CONTENT_TYPE};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    auth::{self, Outgoing, Roles, Tokens},
    error::{LlmError, Phase, classify::Upstream},
    lenient,
    provider::Provider,
    redact::Redactor,
    retry::{self, Failure},
};

/// An error body beyond this is cut; nobody reads it.
const MAX_ERROR_BODY: usize = 256 * 1024;

/// How long a call may take, by phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Connecting, TLS included.
    pub connect: Duration,
    /// From sending the request to the first byte of the answer's body. Local servers read the whole prompt in it,
    /// and an answer that is not streamed is made in it.
    pub first_byte: Duration,
    /// Between two chunks of the answer; comments count as life.
    pub idle: Duration,
    /// The whole call: retries, waits and the stream to its end.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(300),
            idle: Duration::from_secs(120),
            total: Duration::from_secs(1200),
        }
    }
}

/// How much a provider may send, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One line or one event of a stream.
    pub line_bytes: usize,
    /// A whole answer, streamed or not.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line_bytes: 16 << 20, answer_bytes: 16 << 20 }
    }
}

/// The way to providers that somebody else than the operator named.
#[derive(Clone)]
pub struct Guard {
    /// A client that resolves names itself, refuses addresses that are not public, and follows no redirects.
    pub client: Client,
    /// Whether a URL may be asked as far as it shows: a literal address never reaches the client's resolver.
    pub allows: Arc<dyn Fn(&Url) -> bool + Send + Sync>,
}

/// What an exchange needs besides its content.
#[derive(Clone)]
pub(crate) struct Transport {
    pub client: Client,
    /// Without one such providers are not asked at all.
    pub guard: Option<Guard>,
    pub tokens: Tokens,
    pub roles: Roles,
    pub timeouts: Timeouts,
    pub limits: Limits,
}

impl Transport {
    /// The client that may ask this provider.
    pub fn client_for(&self, provider: &Provider, url: &Url) -> Result<&Client, LlmError> {
        if !provider.is_guarded() {
            return Ok(&self.client);
        }
        match &self.guard {
            Some(guard) if (guard.allows)(url) => Ok(&guard.client),
            _ => Err(LlmError::BadRequest {
                message: "the provider's address is not public and may not be asked".into(),
                status: None,
            }),
        }
    }

    /// Sends a request and waits for the status; anything but success is a [`Failure`].
    pub async fn send(
        &self,
        provider: &Provider,
        model: &str,
        method: Method,
        url: Url,
        body: Option<&Value>,
        deadline: Instant,
    ) -> Result<Body, Failure> {
        let client = self.client_for(provider, &url)?;
        let bytes = match body {
            Some(body) => serde_json::to_vec(body).map_err(|_| LlmError::malformed("the request is no JSON"))?,
            None => Vec::new(),
        };
        let outgoing = Outgoing { method: &method, url: &url, body: &bytes, deadline };
        let request = client.request(method.clone(), url.clone());
        let mut request = auth::authenticate(self, provider, request, outgoing).await?;
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json").body(bytes);
        }
        self.exchange(request, provider, model, deadline).await
    }

    /// A request with the provider's credentials, for bodies that are no JSON; not for providers that sign the body.
    pub async fn request(
        &self,
        provider: &Provider,
        method: Method,
        url: Url,
        deadline: Instant,
    ) -> Result<RequestBuilder, LlmError> {
        let request = self.client_for(provider, &url)?.request(method.clone(), url.clone());
        let outgoing = Outgoing { method: &method, url: &url, body: &[], deadline };
        auth::authenticate(self, provider, request, outgoing).await.map_err(|failure| failure.error)
    }

    /// Sends a request that has its credentials and reads the JSON it answers.
    pub async fn answer_of(
        &self,
        request: RequestBuilder,
        provider: &Provider,
        model: &str,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        self.exchange(request, provider, model, deadline).await?.json().await
    }

    /// Sends a request and waits for the status.
    pub async fn exchange(
        &self,
        request: RequestBuilder,
        provider: &Provider,
        model: &str,
        deadline: Instant,
    ) -> Result<Body, Failure> {
        let first_byte = Instant::now() + self.timeouts.first_byte;
        let sent = timeout_at(first_byte.min(deadline), request.send()).await;
        let response = match sent {
            Err(_) if deadline <= first_byte => {
                return Err(LlmError::Timeout { phase: Phase::Total }.into());
            }
            Err(_) => {
                return Err(LlmError::Timeout { phase: Phase::FirstByte }.into());
            }
            Ok(Err(error)) => return Err(connection_error(&error).into()),
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        #[expect(clippy::disallowed_methods, reason = "a provider that names a date means the real one")]
        let retry_after = retry::retry_after(response.headers(), chrono::Utc::now());
        let mut body = Body {
            response,
            first_byte: Some(first_byte),
            deadline,
            idle: self.timeouts.idle,
            left: self.limits.answer_bytes,
        };
        if status.is_success() {
            return Ok(body);
        }
        if status.is_redirection() {
            let message = "the provider answered with a redirect; check its base URL".to_owned();
            return Err(LlmError::BadRequest { message, status: Some(status.as_u16()) }.into());
        }
        body.left = MAX_ERROR_BODY;
        let text = body.read_some().await;
        let mut upstream = Upstream::from_body(status.as_u16(), &text);
        upstream.retry_after = retry_after.or(upstream.retry_after);
        let retry_after = upstream.retry_after;
        let error = upstream.clone().into_error(model, &Redactor::of(provider));
        Err(Failure { error, retry_after, cut_off: false, upstream: Some(Box::new(upstream)) })
    }

    /// Sends a request without a conversation and reads the JSON it answers.
    pub async fn json(
        &self,
        provider: &Provider,
        model: &str,
        method: Method,
        url: Url,
        body: Option<&Value>,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        self.send(provider, model, method, url, body, deadline).await?.json().await
    }
}

/// The body of a successful answer.
pub(crate) struct Body {
    response: Response,
    /// Set until the first chunk is there.
    first_byte: Option<Instant>,
    deadline: Instant,
    idle: Duration,
    left: usize,
}

impl Body {
    /// The same body with another bound, in bytes.
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.left = bytes;
        self
    }

    /// Whether the server labels the body as JSON although events were asked for.
    pub fn is_json(&self) -> bool {
        self.content_type().is_some_and(|kind| kind.contains("json") && !kind.contains("stream"))
    }

    /// Whether the body is a web page.
    pub fn is_html(&self) -> bool {
        self.content_type().is_some_and(|kind| kind.contains("text/html"))
    }

    fn content_type(&self) -> Option<&str> {
        self.response.headers().get(CONTENT_TYPE)?.to_str().ok()
    }

    /// The next chunk, `None` at the end. `patience` shortens the idle limit.
    pub async fn chunk(&mut self, patience: Option<Duration>) -> Result<Option<Bytes>, Failure> {
        let (limit, phase) = match self.first_byte {
            Some(at) => (at, Phase::FirstByte),
            None => (Instant::now() + patience.unwrap_or(self.idle), Phase::Idle),
        };
        let chunk = match timeout_at(limit.min(self.deadline), self.response.chunk()).await {
            Err(_) if self.deadline <= limit => {
                return Err(LlmError::Timeout { phase: Phase::Total }.into());
            }
            Err(_) => return Err(LlmError::Timeout { phase }.into()),
            Ok(Err(_)) => return Err(broken_off()),
            Ok(Ok(chunk)) => chunk,
        };
        let Some(chunk) = chunk else { return Ok(None) };
        self.first_byte = None;
        match self.left.checked_sub(chunk.len()) {
            Some(left) => self.left = left,
            None => return Err(LlmError::malformed("the provider's answer is too large").into()),
        }
        Ok(Some(chunk))
    }

    async fn whole(&mut self) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk(None).await? {
            all.extend_from_slice(&chunk);
        }
        Ok(all)
    }

    /// The whole body as JSON.
    pub async fn json(&mut self) -> Result<Value, Failure> {
        let all = self.whole().await?;
        lenient::value_of(&all).map_err(|_| LlmError::malformed("the provider's answer is not JSON").into())
    }

    /// The whole body as text.
    pub async fn text(&mut self) -> Result<String, Failure> {
        let all = self.whole().await?;
        String::from_utf8(all).map_err(|_| LlmError::malformed("the provider's answer is no text").into())
    }

    /// As much of the body as arrives without trouble; for error pages, where a part is better than nothing.
    async fn read_some(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        while let Ok(Some(chunk)) = self.chunk(Some(Duration::from_secs(5))).await {
            all.extend_from_slice(&chunk);
        }
        all
    }
}

/// The answer ended in the middle.
pub(crate) fn broken_off() -> Failure {
    Failure { cut_off: true, ..LlmError::malformed("the provider's answer broke off").into() }
}

/// Words for a failed connection: the innermost cause, and never the URL.
fn connection_error(error: &reqwest::Error) -> LlmError {
    if error.is_timeout() {
        return LlmError::Timeout { phase: Phase::Connect };
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let what =
        if error.is_connect() { "cannot connect to the provider" } else { "the connection to the provider broke" };
    LlmError::Connection { message: format!("{what}: {cause}") }
}
