//! Listings in OpenAI's shape, with the additions of vLLM, llama.cpp, OpenRouter, Together, Groq and Mistral, and
//! LM Studio's richer one.

use serde_json::Value;

use super::{Facts, Listing, ModelInfo, ModelKind};
use crate::{
    error::LlmError,
    json::{str_at, tokens_at},
    kinds::ProviderKind,
};

/// `GET /models`.
pub(super) async fn list(listing: &Listing<'_>) -> Result<Vec<ModelInfo>, LlmError> {
    let answer = listing.get(listing.provider.versioned("models")).await?;
    let items = items(&answer).ok_or_else(|| LlmError::malformed("the provider's answer is no list of models"))?;
    let served = if is_llama_cpp(listing, items) { served_window(listing).await } else { None };
    let model = |item: &Value| {
        let id = str_at(item, "id").or_else(|| str_at(item, "name"))?;
        let mut facts = facts(item);
        facts.window = served.or(facts.window);
        Some(facts.complete(listing.provider, id))
    };
    Ok(items.iter().filter_map(model).collect())
}

/// LM Studio's own listing; older versions have only the common one.
pub(super) async fn list_lm_studio(listing: &Listing<'_>) -> Result<Vec<ModelInfo>, LlmError> {
    let answer = match listing.get(listing.provider.unversioned("api/v0/models")).await {
        Ok(answer) if items(&answer).is_some() => answer,
        Ok(_) | Err(LlmError::NotFound { .. } | LlmError::BadRequest { .. } | LlmError::Malformed { .. }) => {
            return list(listing).await;
        }
        Err(error) => return Err(error),
    };
    let model = |item: &Value| {
        let id = str_at(item, "id")?;
        let kind = str_at(item, "type");
        let capabilities = item.get("capabilities").and_then(Value::as_array);
        let facts = Facts {
            kind: match kind {
                Some("embeddings") => Some(ModelKind::Embedding),
                Some("llm" | "vlm") => Some(ModelKind::Chat),
                _ => None,
            },
            // A loaded model takes what it was loaded with, however much it could.
            window: tokens_at(item, "loaded_context_length").or_else(|| tokens_at(item, "max_context_length")),
            tools: capabilities.map(|list| list.iter().any(|c| c.as_str() == Some("tool_use"))),
            vision: kind.map(|kind| kind == "vlm"),
            ..Facts::default()
        };
        Some(facts.complete(listing.provider, id))
    };
    Ok(items(&answer).unwrap_or_default().iter().filter_map(model).collect())
}

fn items(answer: &Value) -> Option<&[Value]> {
    let list = answer.get("data").or_else(|| answer.get("models")).unwrap_or(answer);
    list.as_array().map(Vec::as_slice)
}

fn facts(item: &Value) -> Facts {
    // Hugging Face's router tells who serves a model, and what each of them can.
    let served = item.get("providers").and_then(Value::as_array).into_iter().flatten();
    let any_served =
        |key: &str| served.clone().filter_map(|by| by.get(key)?.as_bool()).reduce(|one, other| one || other);
    let below = |group: &str, key: &str| item.get(group).and_then(|group| tokens_at(group, key));
    let window = ["context_window", "max_model_len", "context_length", "max_context_length"]
        .iter()
        .find_map(|key| tokens_at(item, key))
        .or_else(|| below("top_provider", "context_length"))
        .or_else(|| served.clone().filter_map(|by| tokens_at(by, "context_length")).max())
        .or_else(|| below("meta", "n_ctx"))
        .or_else(|| below("meta", "n_ctx_train"));
    let capability = |key: &str| item.pointer(&format!("/capabilities/{key}")).and_then(Value::as_bool);
    let strings = |pointer: &str| item.pointer(pointer).and_then(Value::as_array);
    let lists = |pointer: &str, word: &str| strings(pointer).map(|list| list.iter().any(|v| v.as_str() == Some(word)));
    Facts {
        kind: match str_at(item, "type") {
            Some("chat" | "language" | "llm") => Some(ModelKind::Chat),
            Some("embedding" | "embeddings") => Some(ModelKind::Embedding),
            Some("image" | "moderation" | "rerank" | "audio" | "transcribe") => Some(ModelKind::Other),
            _ => None,
        },
        window,
        max_output: tokens_at(item, "max_completion_tokens").or_else(|| below("top_provider", "max_completion_tokens")),
        embedding_dim: below("meta", "n_embd"),
        tools: capability("function_calling")
            .or_else(|| lists("/supported_parameters", "tools"))
            .or_else(|| any_served("supports_tools")),
        vision: capability("vision").or_else(|| lists("/architecture/input_modalities", "image")),
        reasoning: lists("/supported_parameters", "reasoning"),
    }
}

fn is_llama_cpp(listing: &Listing<'_>, items: &[Value]) -> bool {
    match listing.provider.kind() {
        ProviderKind::LlamaCpp => true,
        ProviderKind::OpenAiCompatible => items.iter().any(|item| str_at(item, "owned_by") == Some("llamacpp")),
        _ => false,
    }
}

/// The window llama.cpp was started with, which is often far smaller than the one the model was trained with.
async fn served_window(listing: &Listing<'_>) -> Option<u32> {
    let props = listing.get(listing.provider.unversioned("props")).await.ok()?;
    let settings = props.get("default_generation_settings");
    settings.and_then(|settings| tokens_at(settings, "n_ctx")).or_else(|| tokens_at(&props, "n_ctx"))
}
