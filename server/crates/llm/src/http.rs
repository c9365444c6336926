//! One HTTP exchange with a provider: headers out, status and a bounded, timed body back. No retries here.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    Client, Method, RequestBuilder, Response,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    error::{LlmError, Phase, classify::Upstream},
    provider::{Provider, ProviderKind},
    redact::Redactor,
    retry::{self, Failure},
};

/// The version of Anthropic's API that this crate was written against.
const ANTHROPIC_VERSION: &str = "2023-06-01";
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

/// What an exchange needs besides its content.
#[derive(Clone)]
pub(crate) struct Transport {
    pub client: Client,
    pub timeouts: Timeouts,
    pub limits: Limits,
}

impl Transport {
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
        let mut request = self.request(provider, method, url)?;
        if let Some(body) = body {
            request = request.json(body);
        }
        self.exchange(provider, model, request, deadline).await
    }

    /// A request with the provider's credentials.
    pub fn request(&self, provider: &Provider, method: Method, url: Url) -> Result<RequestBuilder, LlmError> {
        authenticate(self.client.request(method, url), provider)
    }

    /// Sends a request that is made already; see [`Transport::send`].
    pub async fn exchange(
        &self,
        provider: &Provider,
        model: &str,
        request: RequestBuilder,
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

    /// The whole body as JSON.
    pub async fn json(&mut self) -> Result<Value, Failure> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk(None).await? {
            all.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&all).map_err(|_| LlmError::malformed("the provider's answer is not JSON").into())
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

fn authenticate(request: RequestBuilder, provider: &Provider) -> Result<RequestBuilder, LlmError> {
    let request = match provider.kind() {
        ProviderKind::Anthropic => request.header("anthropic-version", ANTHROPIC_VERSION),
        _ => request,
    };
    let Some(key) = provider.api_key().map(ExposeSecret::expose_secret).filter(|key| !key.is_empty()) else {
        return Ok(request);
    };
    let (name, value) = match provider.kind() {
        ProviderKind::Anthropic => ("x-api-key", key.to_owned()),
        ProviderKind::Gemini => ("x-goog-api-key", key.to_owned()),
        _ => (AUTHORIZATION.as_str(), format!("Bearer {key}")),
    };
    let mut value = HeaderValue::try_from(value).map_err(|_| LlmError::Authentication {
        message: "the provider's API key contains characters that no header may hold".into(),
        status: None,
    })?;
    value.set_sensitive(true);
    Ok(request.header(name, value))
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
