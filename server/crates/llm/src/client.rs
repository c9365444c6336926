//! The client: picks the wire, sends, retries, and hands out streams and completions.

use std::{borrow::Cow, time::Instant as Clock};

use reqwest::{Client, Method};
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument;

use crate::{
    assemble::Assembler,
    auth::{Roles, Tokens},
    breaker::{Breaker, BreakerPolicy},
    error::LlmError,
    event::{Completion, Delta},
    http::{Guard, Limits, Timeouts, Transport},
    normalize,
    provider::Provider,
    quirks::{self, Quirks},
    redact::Redactor,
    request::{ChatMessage, ChatRequest},
    retry::{Failure, RetryPolicy},
    stream::{ChatStream, Interpreter, Reader},
    wire::Wire,
};

/// How often one call may be repaired after a refused parameter, beside its retries.
const MAX_REPAIRS: u32 = 3;

/// Makes ring the process's TLS implementation unless one is installed already. Call it before building a client.
pub fn install_crypto() {
    // Losing the race against another thread is as good as winning it.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// Talks to model providers. Cheap to clone; clones share connections and what was learned about providers.
#[derive(Clone)]
pub struct LlmClient {
    pub(crate) transport: Transport,
    pub(crate) retry: RetryPolicy,
    quirks: Quirks,
    pub(crate) breaker: Breaker,
}

impl LlmClient {
    /// A client of its own. Redirects are not followed. Fails when the TLS set-up does.
    pub fn new(timeouts: Timeouts, retry: RetryPolicy) -> Result<Self, LlmError> {
        // Building the HTTP client without a TLS implementation would panic.
        install_crypto();
        let http = Client::builder()
            .connect_timeout(timeouts.connect)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("mneme/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| LlmError::Connection { message: format!("cannot set up the HTTP client: {error}") })?;
        Ok(Self::with_http(http, timeouts, retry))
    }

    /// A client over an HTTP client that the caller has hardened (resolver, proxies). It must not follow redirects.
    pub fn with_http(http: Client, timeouts: Timeouts, retry: RetryPolicy) -> Self {
        let (tokens, roles, limits) = (Tokens::default(), Roles::default(), Limits::default());
        let transport = Transport { client: http, guard: None, tokens, roles, timeouts, limits };
        Self { transport, retry, quirks: Quirks::default(), breaker: Breaker::default() }
    }

    /// The same client with other size limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.transport.limits = limits;
        self
    }

    /// The same client with a way to the providers that are [guarded](Provider::guarded); without one they are refused.
    #[must_use]
    pub fn with_guard(mut self, guard: Guard) -> Self {
        self.transport.guard = Some(guard);
        self
    }

    /// The same client with another idea of when to leave a provider alone.
    #[must_use]
    pub fn with_breaker(mut self, policy: BreakerPolicy) -> Self {
        self.breaker = Breaker::new(policy);
        self
    }

    /// The body that [`stream`](Self::stream) or [`complete`](Self::complete) would send.
    pub fn request_body(&self, provider: &Provider, request: &ChatRequest, stream: bool) -> Value {
        let request = prepared(request);
        let mut body = Wire::of(provider, &request.model).body(provider, &request, stream);
        self.quirks.apply(provider, &request.model, &mut body);
        body
    }

    /// Starts a streamed call and waits for its first delta. Until then failures are retried; afterwards they are
    /// the stream's last item.
    pub async fn stream(&self, provider: &Provider, request: &ChatRequest) -> Result<ChatStream, LlmError> {
        let span = tracing::info_span!("llm.stream", provider = provider.name(), model = request.model);
        let mut call = self.call(provider, request, true);
        self.breaker.admit(provider, &request.model)?;
        let outcome = async move {
            loop {
                let started = Clock::now();
                match call.stream().await {
                    Ok((first, reader)) => {
                        return Ok(ChatStream::new(first, reader, call.body, started.elapsed()));
                    }
                    Err(failure) => call.recover(failure).await?,
                }
            }
        }
        .instrument(span)
        .await;
        self.breaker.note(provider, &request.model, outcome.as_ref().map(drop));
        outcome
    }

    /// Makes a call that is answered in one piece.
    pub async fn complete(&self, provider: &Provider, request: &ChatRequest) -> Result<Completion, LlmError> {
        let span = tracing::info_span!("llm.complete", provider = provider.name(), model = request.model);
        let mut call = self.call(provider, request, false);
        self.breaker.admit(provider, &request.model)?;
        let outcome = async move {
            loop {
                match call.complete().await {
                    Ok(completion) => {
                        return Ok(Completion { request_json: call.body, ..completion });
                    }
                    Err(failure) => call.recover(failure).await?,
                }
            }
        }
        .instrument(span)
        .await;
        self.breaker.note(provider, &request.model, outcome.as_ref().map(drop));
        outcome
    }

    fn call<'a>(&'a self, provider: &'a Provider, request: &'a ChatRequest, stream: bool) -> Call<'a> {
        Call {
            client: self,
            provider,
            wire: Wire::of(provider, &request.model),
            request,
            stream,
            context: Interpreter { model: request.model.clone(), redactor: Redactor::of(provider) },
            body: self.request_body(provider, request, stream),
            deadline: Instant::now() + self.transport.timeouts.total,
            attempt: 1,
            repairs: 0,
        }
    }
}

/// The request with its history made acceptable to every provider.
fn prepared(request: &ChatRequest) -> Cow<'_, ChatRequest> {
    match normalize::messages(&request.messages, &request.tools) {
        Some(messages) => Cow::Owned(ChatRequest { messages, ..request.clone() }),
        None => Cow::Borrowed(request),
    }
}

/// The request without the reasoning blocks of earlier answers; `None` when it has none.
fn without_reasoning(request: &ChatRequest) -> Option<ChatRequest> {
    let mut stripped = request.clone();
    let mut found = false;
    for message in &mut stripped.messages {
        if let ChatMessage::Assistant { reasoning, .. } = message {
            found |= !reasoning.is_empty();
            reasoning.clear();
        }
    }
    found.then_some(stripped)
}

/// A call under way: what is sent, and how often it has been.
struct Call<'a> {
    client: &'a LlmClient,
    provider: &'a Provider,
    wire: Wire,
    request: &'a ChatRequest,
    stream: bool,
    context: Interpreter,
    body: Value,
    deadline: Instant,
    attempt: u32,
    repairs: u32,
}

impl Call<'_> {
    async fn stream(&self) -> Result<(Delta, Reader), Failure> {
        let mut body = self.send().await?;
        let decoder = self.wire.decoder();
        if body.is_html() {
            return Err(LlmError::malformed("the provider answered with a web page").into());
        }
        let mut reader = if body.is_json() {
            // The server ignored that a stream was asked for.
            let deltas = self.context.whole(self.wire.decoder(), &body.json().await?)?;
            Reader::replay(body, deltas, decoder, self.context.clone())
        } else {
            Reader::new(body, self.wire.framing(), decoder, self.client.transport.limits, self.context.clone())
        };
        match reader.next().await? {
            Some(first) => Ok((first, reader)),
            None => Err(LlmError::malformed("the provider's answer is empty").into()),
        }
    }

    async fn complete(&self) -> Result<Completion, Failure> {
        let started = Clock::now();
        let mut body = self.send().await?;
        let ttft = started.elapsed();
        let response_json = body.json().await?;
        let mut assembler = Assembler::new();
        for delta in self.context.whole(self.wire.decoder(), &response_json)? {
            assembler.push(delta);
        }
        Ok(Completion { response_json, ttft: Some(ttft), ..assembler.finish() })
    }

    async fn send(&self) -> Result<crate::http::Body, Failure> {
        let url = self.wire.url(self.provider, &self.context.model, self.stream);
        let transport = &self.client.transport;
        transport.send(self.provider, &self.context.model, Method::POST, url, Some(&self.body), self.deadline).await
    }

    /// Returns once the call may be made again, or gives the error back.
    async fn recover(&mut self, failure: Failure) -> Result<(), LlmError> {
        if self.repair(&failure) {
            self.repairs += 1;
            return Ok(());
        }
        let Some(wait) = self.client.retry.delay(self.attempt, &failure) else {
            return Err(failure.error);
        };
        if Instant::now() + wait >= self.deadline {
            return Err(failure.error);
        }
        let (kind, status, attempt) = (failure.error.kind(), failure.error.status(), self.attempt);
        tracing::warn!(kind, status, attempt, wait_ms = wait.as_millis() as u64, "model call failed, trying again");
        tokio::time::sleep(wait).await;
        self.attempt += 1;
        Ok(())
    }

    /// Takes out of the body what the provider refused. `false` when there is nothing to take out.
    fn repair(&mut self, failure: &Failure) -> bool {
        let Some(upstream) = failure.upstream.as_ref().filter(|_| self.repairs < MAX_REPAIRS) else {
            return false;
        };
        if let Some(parameter) = Quirks::blamed(upstream, &self.body) {
            tracing::warn!(parameter, "the provider refuses a parameter, leaving it out");
            self.client.quirks.learn(self.provider, &self.context.model, parameter);
            quirks::drop_parameter(&mut self.body, parameter);
            return true;
        }
        if let Some(request) = without_reasoning(self.request).filter(|_| quirks::refuses_reasoning(upstream)) {
            tracing::warn!("the provider refuses the history's reasoning blocks, leaving them out");
            let body = self.client.request_body(self.provider, &request, self.stream);
            let changed = body != self.body;
            self.body = body;
            return changed;
        }
        false
    }
}
