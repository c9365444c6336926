//! Facts about well-known model families, for providers that do not tell them.

use super::names;

/// What is known about a family of models.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    prefix: &'static str,
    pub window: Option<u32>,
    pub max_output: Option<u32>,
    pub embedding_dim: Option<u32>,
    pub tools: Option<bool>,
    pub vision: Option<bool>,
    pub reasoning: bool,
}

const fn chat(prefix: &'static str, window: u32, max_output: u32, vision: bool) -> Family {
    Family {
        prefix,
        window: Some(window),
        max_output: Some(max_output),
        embedding_dim: None,
        tools: Some(true),
        vision: Some(vision),
        reasoning: false,
    }
}

const fn reasoner(prefix: &'static str, window: u32, max_output: u32, vision: bool) -> Family {
    Family { reasoning: true, ..chat(prefix, window, max_output, vision) }
}

const fn embedder(prefix: &'static str, window: u32, dimension: u32) -> Family {
    Family {
        prefix,
        window: Some(window),
        max_output: None,
        embedding_dim: Some(dimension),
        tools: Some(false),
        vision: Some(false),
        reasoning: false,
    }
}

/// The first family whose prefix fits counts, so longer prefixes stand before shorter ones.
const FAMILIES: &[Family] = &[
    chat("gpt-5-chat", 128_000, 16_384, true),
    // 400,000 in all, of which 128,000 are kept for the output.
    reasoner("gpt-5", 272_000, 128_000, true),
    chat("gpt-4.1", 1_047_576, 32_768, true),
    chat("gpt-4.5", 128_000, 16_384, true),
    chat("gpt-4o", 128_000, 16_384, true),
    chat("chatgpt-4o", 128_000, 16_384, true),
    chat("gpt-4-turbo", 128_000, 4096, true),
    chat("gpt-4-0125", 128_000, 4096, false),
    chat("gpt-4-1106", 128_000, 4096, false),
    chat("gpt-4-32k", 32_768, 4096, false),
    chat("gpt-4", 8192, 8192, false),
    chat("gpt-3.5-turbo", 16_385, 4096, false),
    reasoner("gpt-oss", 131_072, 131_072, false),
    reasoner("o1-mini", 128_000, 65_536, false),
    reasoner("o1-preview", 128_000, 32_768, false),
    reasoner("o1", 200_000, 100_000, true),
    reasoner("o3-mini", 200_000, 100_000, false),
    reasoner("o3", 200_000, 100_000, true),
    reasoner("o4", 200_000, 100_000, true),
    reasoner("codex-mini", 200_000, 100_000, true),
    chat("claude-3-haiku", 200_000, 4096, true),
    chat("claude-3-opus", 200_000, 4096, true),
    chat("claude-3-5", 200_000, 8192, true),
    reasoner("claude-3-7", 200_000, 64_000, true),
    reasoner("claude-opus-4-1", 200_000, 32_000, true),
    reasoner("claude-opus-4-0", 200_000, 32_000, true),
    reasoner("claude-opus-4-2", 200_000, 32_000, true),
    reasoner("claude-opus-4@", 200_000, 32_000, true),
    reasoner("claude", 200_000, 64_000, true),
    chat("gemini-1.5-pro", 2_097_152, 8192, true),
    chat("gemini-1.5", 1_048_576, 8192, true),
    chat("gemini-2.0", 1_048_576, 8192, true),
    embedder("gemini-embedding", 2048, 3072),
    reasoner("gemini-", 1_048_576, 65_536, true),
    chat("nova-micro", 128_000, 10_000, false),
    chat("nova-premier", 1_000_000, 10_000, true),
    chat("nova-", 300_000, 10_000, true),
    embedder("titan-embed-text-v2", 8192, 1024),
    embedder("titan-embed-text-v1", 8192, 1536),
    embedder("titan-embed", 8192, 1536),
    embedder("embed-english-light", 512, 384),
    embedder("embed-multilingual-light", 512, 384),
    embedder("embed-v4", 128_000, 1536),
    embedder("embed-english", 512, 1024),
    embedder("embed-multilingual", 512, 1024),
    reasoner("grok-4-fast", 2_000_000, 30_000, true),
    reasoner("grok-4-1-fast", 2_000_000, 30_000, true),
    reasoner("grok-code", 256_000, 10_000, false),
    reasoner("grok-4", 256_000, 64_000, true),
    reasoner("grok-3-mini", 131_072, 131_072, false),
    chat("grok-3", 131_072, 131_072, false),
    chat("grok-2-vision", 32_768, 8192, true),
    chat("llama-4-scout", 131_072, 8192, true),
    chat("llama-4-maverick", 131_072, 8192, true),
    chat("llama-3.3-70b", 131_072, 32_768, false),
    chat("llama3.1-8b", 32_768, 8192, false),
    chat("llama3-1", 128_000, 8192, false),
    chat("llama3-2", 128_000, 8192, false),
    chat("llama3-3", 128_000, 8192, false),
    reasoner("qwen-3-235b-a22b-thinking", 131_072, 32_768, false),
    chat("qwen-3", 131_072, 32_768, false),
    embedder("mistral-embed", 8192, 1024),
    embedder("codestral-embed", 8192, 1536),
    embedder("text-embedding-005", 2048, 768),
    embedder("text-multilingual-embedding-002", 2048, 768),
    chat("deepseek-chat", 131_072, 8192, false),
    reasoner("deepseek-reasoner", 131_072, 65_536, false),
    embedder("text-embedding-3-small", 8191, 1536),
    embedder("text-embedding-3-large", 8191, 3072),
    embedder("text-embedding-ada-002", 8191, 1536),
    embedder("text-embedding-004", 2048, 768),
    embedder("nomic-embed-text", 8192, 768),
    embedder("mxbai-embed-large", 512, 1024),
    embedder("bge-m3", 8192, 1024),
    embedder("all-minilm", 512, 384),
];

/// The family of a model.
pub(super) fn family(id: &str) -> Option<&'static Family> {
    let name = names::base(id);
    FAMILIES.iter().find(|family| name.starts_with(family.prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_well_known_models() {
        for (id, window) in [
            ("gpt-4o-mini", 128_000),
            ("gpt-4.1-nano", 1_047_576),
            ("gpt-4-0613", 8192),
            ("gpt-4-turbo-2024-04-09", 128_000),
            ("o1", 200_000),
            ("o3-mini", 200_000),
            ("gpt-5-mini", 272_000),
            ("gpt-5-chat-latest", 128_000),
            ("claude-sonnet-4-20250514", 200_000),
            ("openai/gpt-4o", 128_000),
        ] {
            assert_eq!(family(id).and_then(|f| f.window), Some(window), "{id}");
        }
        assert!(family("mistral-large").is_none());
    }

    #[test]
    fn no_prefix_hides_behind_a_shorter_one() {
        for (at, family) in FAMILIES.iter().enumerate() {
            let hidden = FAMILIES[..at].iter().find(|earlier| family.prefix.starts_with(earlier.prefix));
            assert!(hidden.is_none(), "{} is never reached", family.prefix);
        }
    }

    #[test]
    fn dimensions_of_embedding_models() {
        for (id, dimension) in
            [("text-embedding-3-small", 1536), ("text-embedding-3-large", 3072), ("text-embedding-ada-002", 1536)]
        {
            assert_eq!(family(id).and_then(|f| f.embedding_dim), Some(dimension));
        }
    }
}
