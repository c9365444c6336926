//! Which models a provider has, and what is known about them.

mod clouds;
mod hosted;
mod names;
mod ollama;
mod openai;
mod table;

use std::{
    collections::HashSet,
    sync::{LazyLock, Mutex, PoisonError},
};

use reqwest::Method;
use serde_json::Value;
use tokio::time::{Duration, Instant};
use url::Url;

use crate::{client::LlmClient, error::LlmError, kinds::ProviderKind, provider::Provider};

pub(crate) use names::{base as base_name, claude_version, is_gpt5, is_openai_reasoning};

/// A listing that takes longer is given up, whatever the chat limits are.
const MAX_TIME: Duration = Duration::from_secs(60);
/// The window of a model nobody knows anything about, in tokens.
const ASSUMED_WINDOW: u32 = 8192;

/// A model of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// The provider's name of it.
    pub id: String,
    /// What it is for.
    pub kind: ModelKind,
    /// How much input it takes.
    pub context_window: ContextWindow,
    /// Most tokens it can generate in one answer.
    pub max_output: Option<u32>,
    /// Length of its vectors, for embedding models.
    pub embedding_dim: Option<u32>,
    /// Whether it can call tools; `None` when unknown.
    pub supports_tools: Option<bool>,
    /// Whether it reads images; `None` when unknown.
    pub supports_vision: Option<bool>,
    /// Whether it reasons before it answers.
    pub reasoning: bool,
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// Conversations.
    Chat,
    /// Vectors of texts.
    Embedding,
    /// Anything else: speech, pictures, moderation.
    Other,
}

/// The size of a model's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextWindow {
    /// Tokens of input that fit. Of models that reserve room for the output this is the rest.
    pub tokens: u32,
    /// Where the number comes from.
    pub source: ContextSource,
}

/// Where the size of a window comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextSource {
    /// The provider said so.
    Provider,
    /// This crate knows the model's family.
    Table,
    /// Nobody knows; a small window is assumed.
    Assumed,
}

impl LlmClient {
    /// The models a provider has, in its own order.
    pub async fn models(&self, provider: &Provider) -> Result<Vec<ModelInfo>, LlmError> {
        let listing =
            Listing { client: self, provider, deadline: Instant::now() + self.transport.timeouts.total.min(MAX_TIME) };
        match provider.kind() {
            ProviderKind::Ollama => ollama::list(&listing).await,
            ProviderKind::LmStudio => openai::list_lm_studio(&listing).await,
            ProviderKind::Anthropic => hosted::list_anthropic(&listing).await,
            ProviderKind::Gemini => hosted::list_gemini(&listing).await,
            ProviderKind::Vertex => clouds::list_vertex(&listing).await,
            ProviderKind::Bedrock => clouds::list_bedrock(&listing).await,
            ProviderKind::Azure => clouds::list_azure(&listing).await,
            _ => openai::list(&listing).await,
        }
    }
}

impl LlmClient {
    /// Finds out whether a provider takes its credentials, without having it generate anything.
    ///
    /// # Errors
    /// [`LlmError::Authentication`] when it refuses them, any other when it cannot be asked.
    pub async fn check(&self, provider: &Provider) -> Result<(), LlmError> {
        let deadline = Instant::now() + self.transport.timeouts.total.min(MAX_TIME);
        let listing = Listing { client: self, provider, deadline };
        // OpenRouter shows its models to everybody; what a key may do it tells only to the key's owner.
        if provider.kind() == ProviderKind::OpenRouter {
            return listing.get(provider.versioned("key")).await.map(drop);
        }
        self.models(provider).await?;
        if !lists_openly(provider) {
            return Ok(());
        }
        // Keys are looked at before bodies, so a request that cannot be understood finds out about the key alone.
        let nonsense = serde_json::json!({"model": "", "messages": "none"});
        let url = provider.versioned("chat/completions");
        let asked = self.transport.json(provider, "", Method::POST, url, Some(&nonsense), deadline).await;
        match asked {
            Err(failure) if matches!(failure.error, LlmError::Authentication { .. }) => Err(failure.error),
            _ => Ok(()),
        }
    }
}

/// Whether a server may show its models to those without a key, as llama.cpp and Hugging Face do.
fn lists_openly(provider: &Provider) -> bool {
    match provider.kind() {
        ProviderKind::OpenAi => provider.base_url().host_str() != Some("api.openai.com"),
        ProviderKind::OpenAiCompatible
        | ProviderKind::HuggingFace
        | ProviderKind::LlamaCpp
        | ProviderKind::Vllm
        | ProviderKind::LmStudio => true,
        _ => false,
    }
}

/// One listing under way.
struct Listing<'a> {
    client: &'a LlmClient,
    provider: &'a Provider,
    deadline: Instant,
}

impl Listing<'_> {
    async fn get(&self, url: Url) -> Result<Value, LlmError> {
        self.client.json_with_retries(self.provider, "", Method::GET, url, None, self.deadline).await
    }

    async fn post(&self, url: Url, body: &Value) -> Result<Value, LlmError> {
        self.client.json_with_retries(self.provider, "", Method::POST, url, Some(body), self.deadline).await
    }
}

/// What a server tells about a model, before the gaps are filled.
#[derive(Debug, Default)]
struct Facts {
    kind: Option<ModelKind>,
    window: Option<u32>,
    max_output: Option<u32>,
    embedding_dim: Option<u32>,
    tools: Option<bool>,
    vision: Option<bool>,
    reasoning: Option<bool>,
}

impl Facts {
    /// Fills the gaps from the table and the model's name.
    fn complete(self, provider: &Provider, id: &str) -> ModelInfo {
        self.complete_as(provider, id, id)
    }

    /// The same for a model that the provider calls `id` and that is a `model` in truth.
    fn complete_as(self, provider: &Provider, id: &str, model: &str) -> ModelInfo {
        let known = table::family(model);
        let kind = self.kind.unwrap_or_else(|| names::kind(provider.kind(), model));
        let context_window = match (self.window, known.and_then(|family| family.window)) {
            (Some(tokens), _) => ContextWindow { tokens, source: ContextSource::Provider },
            (None, Some(tokens)) => ContextWindow { tokens, source: ContextSource::Table },
            (None, None) => {
                if kind == ModelKind::Chat {
                    warn_once(provider, id);
                }
                ContextWindow { tokens: ASSUMED_WINDOW, source: ContextSource::Assumed }
            }
        };
        ModelInfo {
            id: id.to_owned(),
            kind,
            context_window,
            max_output: self.max_output.or(known.and_then(|family| family.max_output)),
            embedding_dim: self
                .embedding_dim
                .or(known.and_then(|family| family.embedding_dim))
                .filter(|_| kind == ModelKind::Embedding),
            supports_tools: self.tools.or(known.and_then(|family| family.tools)),
            supports_vision: self.vision.or(known.and_then(|family| family.vision)),
            reasoning: self.reasoning.unwrap_or_else(|| known.is_some_and(|family| family.reasoning)),
        }
    }
}

/// Whether a model is known to reason.
pub(crate) fn reasons(id: &str) -> bool {
    table::family(id).is_some_and(|family| family.reasoning)
}

/// The most tokens a model is known to generate.
pub(crate) fn max_output(id: &str) -> Option<u32> {
    table::family(id).and_then(|family| family.max_output)
}

/// Says once per model and process that its window is a guess.
fn warn_once(provider: &Provider, id: &str) {
    static WARNED: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    if warned.insert(format!("{}/{id}", provider.name())) {
        tracing::warn!(
            provider = provider.name(),
            model = id,
            tokens = ASSUMED_WINDOW,
            "the model's context window is unknown, assuming a small one"
        );
    }
}
