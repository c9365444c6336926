//! Providers' batch APIs: many calls handed over at once, answered within a day, at a lower price.
//!
//! A caller makes each call's body with [`LlmClient::request_body`], hands calls of one [`BatchPlace`] over with
//! [`LlmClient::submit_batch`], asks now and then how far they are, and reads the answers one by one. Nothing here is
//! repeated by itself: whether a batch that may have arrived is sent again is the caller's to decide.

mod anthropic;
mod openai;
mod results;

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

pub use results::{BatchResult, BatchResults};

use crate::{
    client::LlmClient, error::LlmError, kinds::ProviderKind, provider::Provider, request::ChatRequest, wire::Wire,
};

/// How long handing over a batch may take: it is megabytes on the way.
const SUBMIT: Duration = Duration::from_secs(300);
/// How long a question about a batch may take.
const ASK: Duration = Duration::from_secs(60);
/// How long reading all answers may take.
const READ: Duration = Duration::from_secs(1800);

/// One call of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchCall {
    /// The caller's name for it: at most 64 letters, digits, `_` and `-`, unique in its batch.
    pub id: String,
    /// What would be sent if it were a call of its own.
    pub body: Value,
}

/// Where a call can be handed over; calls of equal places may share a batch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BatchPlace {
    /// Anthropic's Message Batches.
    Anthropic,
    /// OpenAI's batches, which hold calls of one route and one model.
    OpenAi {
        /// The route after the host, such as `/v1/responses`.
        route: &'static str,
        /// The model.
        model: String,
    },
}

/// How far a batch is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchProgress {
    /// Whether its answers can be read, as far as there are any.
    pub ended: bool,
    /// Why the provider refused it as a whole.
    pub refused: Option<String>,
    /// Files with answers, for providers that keep them so.
    files: Vec<String>,
}

impl LlmClient {
    /// Where a call of a model can be handed over; `None` when its provider takes no batches.
    pub fn batch_place(&self, provider: &Provider, model: &str) -> Option<BatchPlace> {
        let route = match (provider.kind(), Wire::of(provider, model)) {
            (ProviderKind::Anthropic, _) => return Some(BatchPlace::Anthropic),
            (ProviderKind::OpenAi, Wire::OpenAiResponses) => "/v1/responses",
            (ProviderKind::OpenAi, _) => "/v1/chat/completions",
            _ => return None,
        };
        Some(BatchPlace::OpenAi { route, model: model.to_owned() })
    }

    /// The body of a call as a batch takes it.
    pub fn batch_body(&self, provider: &Provider, request: &ChatRequest) -> Value {
        let mut body = self.request_body(provider, request, false);
        if let Some(body) = body.as_object_mut() {
            body.shift_remove("stream");
        }
        body
    }

    /// Hands calls over, once. `mark` is kept with the batch where the provider has a place for it, so that
    /// [`LlmClient::find_batch`] finds it. Returns the provider's name of the batch.
    pub async fn submit_batch(
        &self,
        provider: &Provider,
        place: &BatchPlace,
        mark: &str,
        calls: &[BatchCall],
    ) -> Result<String, LlmError> {
        let deadline = Instant::now() + SUBMIT;
        match place {
            BatchPlace::Anthropic => anthropic::submit(self, provider, calls, deadline).await,
            BatchPlace::OpenAi { route, .. } => openai::submit(self, provider, route, mark, calls, deadline).await,
        }
    }

    /// Looks for a batch whose submission was cut off. `None` when there is none, or the provider cannot tell.
    pub async fn find_batch(&self, provider: &Provider, mark: &str) -> Result<Option<String>, LlmError> {
        match provider.kind() {
            ProviderKind::OpenAi => openai::find(self, provider, mark, Instant::now() + ASK).await,
            _ => Ok(None),
        }
    }

    /// How far a batch is.
    pub async fn batch_progress(&self, provider: &Provider, id: &str) -> Result<BatchProgress, LlmError> {
        let deadline = Instant::now() + ASK;
        match provider.kind() {
            ProviderKind::Anthropic => anthropic::progress(self, provider, id, deadline).await,
            _ => openai::progress(self, provider, id, deadline).await,
        }
    }

    /// The answers of a batch that has ended.
    pub async fn batch_results(
        &self,
        provider: &Provider,
        id: &str,
        progress: &BatchProgress,
    ) -> Result<BatchResults, LlmError> {
        let deadline = Instant::now() + READ;
        match provider.kind() {
            ProviderKind::Anthropic => anthropic::results(self, provider, id, deadline).await,
            _ => openai::results(self, provider, &progress.files, deadline).await,
        }
    }

    /// Asks the provider to stop a batch. What it answered by then can still be read.
    pub async fn cancel_batch(&self, provider: &Provider, id: &str) -> Result<(), LlmError> {
        let url = match provider.kind() {
            ProviderKind::Anthropic => provider.versioned(&format!("messages/batches/{}/cancel", safe(id)?)),
            _ => provider.versioned(&format!("batches/{}/cancel", safe(id)?)),
        };
        let deadline = Instant::now() + ASK;
        let sent = self.transport.json(provider, "", reqwest::Method::POST, url, None, deadline).await;
        sent.map(drop).map_err(|failure| failure.error)
    }
}

/// A text that comes from a provider and goes into a path: only what its identifiers are made of.
fn safe(id: &str) -> Result<&str, LlmError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !id.is_empty() && id.len() <= 200 && id.chars().all(plain) {
        true => Ok(id),
        false => Err(LlmError::malformed("the provider named a batch or a file in a way that no path may hold")),
    }
}
