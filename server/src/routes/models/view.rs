//! Models as lists show them: the configuration that agents keep, and for clients of the 1.x generation the same facts
//! under the names by which these know them and insist on them. Others see what they always saw.

use mneme_domain::llm_config::{EmbeddingConfig, LlmConfig};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Client;

/// A chat model in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatModel {
    #[serde(flatten)]
    config: LlmConfig,
    /// The provider's name of the model; for clients of the 1.x generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Tokens that fit into one request with its answer; for clients of the 1.x generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_context_window: Option<u32>,
    /// The provider's type; for clients of the 1.x generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_type: Option<String>,
}

impl ChatModel {
    /// How this client sees a model.
    pub fn seen_by(client: Client, config: LlmConfig) -> Self {
        let current = client == Client::Current;
        Self {
            name: current.then(|| config.model.clone()),
            max_context_window: current.then_some(config.context_window),
            provider_type: current.then(|| provider_type(&config.model_endpoint_type).to_owned()),
            config,
        }
    }
}

/// An embedding model in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddingModel {
    #[serde(flatten)]
    config: EmbeddingConfig,
    /// The provider's name of the model; for clients of the 1.x generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// A name to show; for clients of the 1.x generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    /// The provider's name: the part of the handle before the slash; for clients of the 1.x generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_name: Option<String>,
    /// The provider's type; for clients of the 1.x generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_type: Option<String>,
}

impl EmbeddingModel {
    /// How this client sees a model.
    pub fn seen_by(client: Client, config: EmbeddingConfig) -> Self {
        let current = client == Client::Current;
        let kind = provider_type(&config.embedding_endpoint_type);
        let named = config.handle.as_deref().and_then(|handle| handle.split_once('/'));
        let provider = named.map_or(kind, |(provider, _)| provider);
        Self {
            name: current.then(|| config.embedding_model.clone()),
            display_name: current.then(|| config.embedding_model.clone()),
            provider_name: current.then(|| provider.to_owned()),
            provider_type: current.then(|| kind.to_owned()),
            config,
        }
    }
}

/// The type of a provider by its endpoint's. The API has fewer of the former, and one of them by another name; a
/// server that it does not know goes by the wire that it speaks.
fn provider_type(endpoint_type: &str) -> &str {
    match endpoint_type {
        "lmstudio" => "lmstudio_openai",
        "llamacpp" => "openai",
        other => other,
    }
}
