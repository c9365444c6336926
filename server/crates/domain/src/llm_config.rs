//! Which model an agent uses, and how.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::compaction::CompactionSettings;

fn default_temperature() -> f64 {
    0.7
}

/// A chat model with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LlmConfig {
    /// The provider's name of the model.
    pub model: String,
    /// A name to show.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The wire format: `openai`, `anthropic`, `google_ai`, `ollama`, …
    pub model_endpoint_type: String,
    /// The provider's base URL.
    #[serde(default)]
    pub model_endpoint: Option<String>,
    /// The provider's name: the part of the handle before the slash.
    #[serde(default)]
    pub provider_name: Option<String>,
    /// `base` (set up by the operator) or `byok` (added by a user).
    #[serde(default)]
    pub provider_category: Option<String>,
    /// A prompt wrapper of older servers; kept as given.
    #[serde(default)]
    pub model_wrapper: Option<String>,
    /// Tokens that fit into one request with its answer.
    pub context_window: u32,
    /// Whether the model is asked to write its thoughts into an argument of each tool call.
    #[serde(default)]
    pub put_inner_thoughts_in_kwargs: Option<bool>,
    /// `provider/model`.
    #[serde(default)]
    pub handle: Option<String>,
    /// Sampling temperature.
    #[serde(default = "default_temperature")]
    pub temperature: f64,
    /// Most tokens of an answer.
    #[serde(default)]
    pub max_tokens: Option<u32>,
    /// Whether a reasoning model should reason.
    #[serde(default)]
    pub enable_reasoner: bool,
    /// How hard it should: `minimal`, `low`, `medium`, `high`.
    #[serde(default)]
    pub reasoning_effort: Option<String>,
    /// Most tokens of reasoning, where the provider takes a budget.
    #[serde(default)]
    pub max_reasoning_tokens: u32,
    /// Penalty on repeated tokens.
    #[serde(default)]
    pub frequency_penalty: Option<f64>,
    /// Weights format of a local model: `gguf` or `mlx`.
    #[serde(default)]
    pub compatibility_type: Option<String>,
    /// How much a model should write: `low`, `medium`, `high`.
    #[serde(default)]
    pub verbosity: Option<String>,
    /// A price tier of the hosted product; kept as given.
    #[serde(default)]
    pub tier: Option<String>,
    /// Whether the model may ask for several tool calls at once.
    #[serde(default)]
    pub parallel_tool_calls: Option<bool>,
    /// How a context of this model is made smaller. It is kept here because it goes where an agent's model goes: into
    /// agent files and templates. Clients read it as a field of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compaction_settings: Option<CompactionSettings>,
}

fn default_batch_size() -> u32 {
    32
}

/// An embedding model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EmbeddingConfig {
    /// The wire format.
    pub embedding_endpoint_type: String,
    /// The provider's base URL.
    #[serde(default)]
    pub embedding_endpoint: Option<String>,
    /// The provider's name of the model.
    pub embedding_model: String,
    /// Numbers in a vector.
    pub embedding_dim: u32,
    /// Tokens of a chunk of a document.
    #[serde(default)]
    pub embedding_chunk_size: Option<u32>,
    /// `provider/model`.
    #[serde(default)]
    pub handle: Option<String>,
    /// Texts embedded in one request.
    #[serde(default = "default_batch_size")]
    pub batch_size: u32,
    #[serde(default)]
    pub azure_endpoint: Option<String>,
    #[serde(default)]
    pub azure_version: Option<String>,
    #[serde(default)]
    pub azure_deployment: Option<String>,
}

impl EmbeddingConfig {
    /// What vectors of this model are known by: the handle, or the model's own name without one.
    pub fn name(&self) -> &str {
        self.handle.as_deref().unwrap_or(&self.embedding_model)
    }
}
