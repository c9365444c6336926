//! Models and providers as the API shows them.

use mneme_domain::llm_config::{EmbeddingConfig, LlmConfig};
use mneme_llm::{ModelInfo, Provider, ProviderKind};

use super::Category;

/// The `model_endpoint_type` of a provider's models. The API's list of them lacks some providers; their models go by
/// the wire that they speak.
pub(super) fn endpoint_type(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::LmStudio => "lmstudio",
        ProviderKind::LlamaCpp => "llamacpp",
        ProviderKind::Cerebras => "openai",
        other => other.api_name(),
    }
}

/// The same for embedding models, of which the API knows still fewer.
fn embedding_type(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::DeepSeek | ProviderKind::Xai => "openai",
        other => endpoint_type(other),
    }
}

pub(super) fn chat_config(provider: &Provider, category: Category, info: &ModelInfo) -> LlmConfig {
    LlmConfig {
        model: info.id.clone(),
        display_name: None,
        model_endpoint_type: endpoint_type(provider.kind()).into(),
        model_endpoint: Some(shown_url(provider)),
        provider_name: Some(provider.name().into()),
        provider_category: Some(category.name().into()),
        model_wrapper: None,
        context_window: info.context_window.tokens,
        put_inner_thoughts_in_kwargs: Some(false),
        handle: Some(format!("{}/{}", provider.name(), info.id)),
        temperature: if info.reasoning { 1.0 } else { 0.7 },
        max_tokens: None,
        enable_reasoner: info.reasoning,
        reasoning_effort: None,
        max_reasoning_tokens: 0,
        frequency_penalty: None,
        compatibility_type: None,
        verbosity: None,
        tier: None,
        parallel_tool_calls: Some(false),
        compaction_settings: None,
    }
}

pub(super) fn embedding_config(provider: &Provider, info: &ModelInfo) -> EmbeddingConfig {
    EmbeddingConfig {
        embedding_endpoint_type: embedding_type(provider.kind()).into(),
        embedding_endpoint: Some(shown_url(provider)),
        embedding_model: info.id.clone(),
        embedding_dim: info.embedding_dim.unwrap_or(1536),
        embedding_chunk_size: Some(300),
        handle: Some(format!("{}/{}", provider.name(), info.id)),
        batch_size: 1024,
        azure_endpoint: None,
        azure_version: None,
        azure_deployment: None,
    }
}

/// A provider's address without credentials that it may carry.
pub fn shown_url(provider: &Provider) -> String {
    let mut url = provider.base_url().clone();
    // Both setters only fail on URLs that cannot have credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.as_str().trim_end_matches('/').to_owned()
}
