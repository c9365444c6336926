//! What a model's name gives away.

use super::ModelKind;
use crate::provider::ProviderKind;

/// Parts of names of models that make vectors.
const EMBEDDING: &[&str] = &["embed", "bge-", "gte-", "minilm", "e5-large", "e5-base", "e5-small"];
/// Parts of names of models that neither chat nor embed.
const OTHER: &[&str] = &[
    "tts",
    "whisper",
    "dall-e",
    "moderation",
    "realtime",
    "image",
    "audio",
    "transcribe",
    "sora",
    "rerank",
    "babbage-002",
    "davinci-002",
    "veo-",
    "imagen",
    "lyria",
];

/// What a model is for, judged by its name.
pub(super) fn kind(provider: ProviderKind, id: &str) -> ModelKind {
    let name = id.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    // OpenAI's instruct model knows the old completions only; elsewhere the word marks a chat model.
    let completions_only = provider == ProviderKind::OpenAi && name.contains("-instruct");
    if has(EMBEDDING) {
        ModelKind::Embedding
    } else if has(OTHER) || completions_only {
        ModelKind::Other
    } else {
        ModelKind::Chat
    }
}

/// The model's name in lower case without the vendor and fine-tuning prefixes of routers.
pub(super) fn base(id: &str) -> String {
    let name = id.rsplit('/').next().unwrap_or(id).to_lowercase();
    match name.strip_prefix("ft:") {
        Some(tuned) => tuned.split(':').next().unwrap_or(tuned).to_owned(),
        None => name,
    }
}

/// Whether this is a reasoning model of OpenAI: o1, o3, o4, GPT-5 and their relatives, not the chat-tuned GPT-5.
pub(crate) fn is_openai_reasoning(id: &str) -> bool {
    let name = base(id);
    let o_series = ["o1", "o3", "o4"]
        .iter()
        .any(|series| name.strip_prefix(series).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')));
    o_series || is_gpt5(id) || name.starts_with("codex-mini")
}

/// Whether this is a reasoning model of the GPT-5 family.
pub(crate) fn is_gpt5(id: &str) -> bool {
    let name = base(id);
    name.strip_prefix("gpt-5").is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
        && !name.contains("-chat")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_model_is_for() {
        use ModelKind::*;
        for (id, expected) in [
            ("gpt-4o", Chat),
            ("gpt-4o-audio-preview", Other),
            ("gpt-4o-mini-transcribe", Other),
            ("gpt-realtime", Other),
            ("gpt-image-1", Other),
            ("dall-e-3", Other),
            ("tts-1-hd", Other),
            ("whisper-1", Other),
            ("omni-moderation-latest", Other),
            ("gpt-3.5-turbo-instruct", Other),
            ("text-embedding-3-small", Embedding),
            ("BAAI/bge-m3", Embedding),
            ("o3-mini", Chat),
        ] {
            assert_eq!(kind(ProviderKind::OpenAi, id), expected, "{id}");
        }
        assert_eq!(kind(ProviderKind::Vllm, "Qwen/Qwen2.5-7B-Instruct"), Chat);
    }

    #[test]
    fn reasoning_models_of_openai_are_recognised() {
        for id in [
            "o1",
            "o3-mini",
            "o4-mini-2025-04-16",
            "gpt-5",
            "gpt-5-mini",
            "gpt-5.1",
            "openai/gpt-5-nano",
            "ft:o4-mini:me::x",
            "o1-pro",
        ] {
            assert!(is_openai_reasoning(id), "{id}");
        }
        for id in ["gpt-4o", "gpt-5-chat-latest", "gpt-50", "o100", "marco-o1", "olmo", "gpt-oss-20b"] {
            assert!(!is_openai_reasoning(id), "{id}");
        }
        assert!(is_gpt5("gpt-5.2") && !is_gpt5("o3"));
    }
}
