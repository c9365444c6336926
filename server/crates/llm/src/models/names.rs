//! What a model's name gives away.

use super::ModelKind;
use crate::kinds::ProviderKind;

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
pub(crate) fn base(id: &str) -> String {
    let name = id.rsplit('/').next().unwrap_or(id).to_lowercase();
    let name = without_maker(&name).to_owned();
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

/// Makers whose name Bedrock puts before a model's, after the region's: `us.anthropic.claude-…`.
const MAKERS: &[&str] =
    &["ai21.", "amazon.", "anthropic.", "cohere.", "deepseek.", "meta.", "mistral.", "openai.", "qwen.", "writer."];

fn without_maker(name: &str) -> &str {
    let rest = |maker: &&str| {
        let at = name.find(*maker)?;
        (at == 0 || name[..at].ends_with('.')).then(|| &name[at + maker.len()..])
    };
    MAKERS.iter().find_map(rest).unwrap_or(name)
}

/// The version of a Claude model, whoever serves it; `None` for other models. (0, 0) when the name has none.
pub(crate) fn claude_version(id: &str) -> Option<(u32, u32)> {
    let name = base(id);
    let parts = name.strip_prefix("claude")?.split(['-', '.', '@', ':']);
    // Version numbers are short; a long number is a date.
    let mut version = parts.filter_map(|part| part.parse::<u32>().ok()).filter(|n| *n < 1000);
    Some((version.next().unwrap_or(0), version.next().unwrap_or(0)))
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
    fn claude_is_recognised_wherever_it_runs() {
        for (id, version) in [
            ("claude-3-7-sonnet-20250219", (3, 7)),
            ("claude-sonnet-4-20250514", (4, 0)),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", (4, 5)),
            ("anthropic.claude-3-haiku-20240307-v1:0", (3, 0)),
            ("anthropic/claude-opus-4.7", (4, 7)),
            ("claude-sonnet-4-5@20250929", (4, 5)),
            ("claude-opus-4@20250514", (4, 0)),
            ("claude-next", (0, 0)),
        ] {
            assert_eq!(claude_version(id), Some(version), "{id}");
        }
        assert_eq!(claude_version("amazon.nova-pro-v1:0"), None);
        assert_eq!(base("us.amazon.nova-pro-v1:0"), "nova-pro-v1:0");
        assert_eq!(base("gpt-4.1"), "gpt-4.1");
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
