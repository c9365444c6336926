//! The sorts of servers that are known: their names, and where the hosted ones are.

use serde::{Deserialize, Serialize};
use url::Url;

/// What sort of server a provider is; decides the wire and the quirks to expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// OpenAI itself: chat completions, and the Responses API for reasoning models.
    OpenAi,
    /// Any other server that speaks chat completions; the base URL includes the version.
    OpenAiCompatible,
    /// OpenAI's models at Azure; the base URL is the resource's, with or without `/openai/v1`. Models are deployments.
    Azure,
    /// Ollama; the base URL is the server's root.
    Ollama,
    /// vLLM; the base URL is the server's root or ends in `/v1`.
    Vllm,
    /// LM Studio; the base URL is the server's root or ends in `/v1`.
    LmStudio,
    /// llama.cpp's server; the base URL is the server's root or ends in `/v1`.
    LlamaCpp,
    /// OpenRouter; the base URL includes the version.
    OpenRouter,
    /// Groq; the base URL includes the version.
    Groq,
    /// xAI; the base URL includes the version.
    Xai,
    /// Together; the base URL includes the version.
    Together,
    /// DeepSeek; the base URL includes the version.
    DeepSeek,
    /// Mistral; the base URL includes the version.
    Mistral,
    /// Cerebras; the base URL includes the version.
    Cerebras,
    /// Hugging Face's router of inference providers; the base URL includes the version.
    HuggingFace,
    /// Anthropic's Messages API; the base URL has no version.
    Anthropic,
    /// Google's Gemini API; the base URL has no version.
    Gemini,
    /// Gemini at Google Cloud; the base URL has no version.
    Vertex,
    /// Amazon Bedrock's Converse API; the base URL is that of the runtime in a region.
    Bedrock,
}

/// A kind's own name, its name in the API, and its usual address.
type Names = (ProviderKind, &'static str, &'static str, Option<&'static str>);

/// The order is that of the settings' documentation.
const ALL: [Names; 19] = [
    (ProviderKind::OpenAi, "openai", "openai", Some("https://api.openai.com/v1")),
    (ProviderKind::OpenAiCompatible, "openai_compatible", "openai", None),
    (ProviderKind::Azure, "azure", "azure", None),
    (ProviderKind::Anthropic, "anthropic", "anthropic", Some("https://api.anthropic.com")),
    (ProviderKind::Gemini, "gemini", "google_ai", Some("https://generativelanguage.googleapis.com")),
    (ProviderKind::Vertex, "vertex", "google_vertex", None),
    (ProviderKind::Bedrock, "bedrock", "bedrock", None),
    (ProviderKind::OpenRouter, "openrouter", "openai", Some("https://openrouter.ai/api/v1")),
    (ProviderKind::Groq, "groq", "groq", Some("https://api.groq.com/openai/v1")),
    (ProviderKind::Xai, "xai", "xai", Some("https://api.x.ai/v1")),
    (ProviderKind::Together, "together", "together", Some("https://api.together.xyz/v1")),
    (ProviderKind::DeepSeek, "deepseek", "deepseek", Some("https://api.deepseek.com/v1")),
    (ProviderKind::Mistral, "mistral", "mistral", Some("https://api.mistral.ai/v1")),
    (ProviderKind::Cerebras, "cerebras", "cerebras", Some("https://api.cerebras.ai/v1")),
    (ProviderKind::HuggingFace, "huggingface", "hugging-face", Some("https://router.huggingface.co/v1")),
    (ProviderKind::Ollama, "ollama", "ollama", None),
    (ProviderKind::Vllm, "vllm", "vllm", None),
    (ProviderKind::LmStudio, "lmstudio", "lmstudio_openai", None),
    (ProviderKind::LlamaCpp, "llamacpp", "openai", None),
];

impl ProviderKind {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|names| names.0)
    }

    fn names(self) -> &'static Names {
        // The table names every kind; a test sees to it.
        ALL.iter().find(|names| names.0 == self).unwrap_or(&ALL[0])
    }

    /// Its name in the settings.
    pub fn name(self) -> &'static str {
        self.names().1
    }

    /// Its `provider_type` in the API, which has fewer names than there are kinds.
    pub fn api_name(self) -> &'static str {
        self.names().2
    }

    /// The kind of a name, be it that of the settings or that of the API.
    pub fn from_name(name: &str) -> Option<Self> {
        let by_name = ALL.iter().find(|names| names.1 == name || names.2 == name);
        by_name.map(|names| names.0)
    }

    /// Where a hosted service of this kind is; `None` where each customer has an address of their own. `region` is the
    /// place of the clouds that have several.
    pub fn default_url(self, region: Option<&str>) -> Option<Url> {
        let fixed = self.names().3.map(str::to_owned);
        let text = fixed.or_else(|| {
            let region = region.map(str::trim).filter(|region| is_region(region));
            match (self, region) {
                (Self::Bedrock, Some(region)) => Some(format!("https://bedrock-runtime.{region}.amazonaws.com")),
                (Self::Vertex, None | Some("global")) => Some("https://aiplatform.googleapis.com".to_owned()),
                (Self::Vertex, Some(region)) => Some(format!("https://{region}-aiplatform.googleapis.com")),
                _ => None,
            }
        })?;
        text.parse().ok()
    }

    /// The kind of an address: the guides point OpenAI's variable at OpenRouter, which does not speak the newer half of
    /// OpenAI's API.
    #[must_use]
    pub fn at(self, url: &Url) -> Self {
        let router = url.host_str().is_some_and(|host| host == "openrouter.ai" || host.ends_with(".openrouter.ai"));
        if self == Self::OpenAi && router { Self::OpenRouter } else { self }
    }
}

/// A region becomes a part of a host name, so it may be nothing else.
fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 40
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_own_name() {
        for (at, names) in ALL.iter().enumerate() {
            assert_eq!(ProviderKind::from_name(names.1), Some(names.0));
            assert_eq!(names.0.names().1, names.1);
            assert!(ALL[..at].iter().all(|earlier| earlier.0 != names.0 && earlier.1 != names.1), "{names:?}");
            let spelled = serde_json::to_string(&names.0).expect("a name");
            assert!(spelled.len() > 4, "{spelled}");
        }
        assert_eq!(ProviderKind::from_name("google_vertex"), Some(ProviderKind::Vertex));
        assert_eq!(ProviderKind::from_name("lmstudio_openai"), Some(ProviderKind::LmStudio));
        assert_eq!(ProviderKind::from_name("letta"), None);
    }

    #[test]
    fn a_region_decides_the_address_and_cannot_smuggle_a_host() {
        let url = |kind: ProviderKind, region| kind.default_url(region).map(|url| url.to_string());
        assert_eq!(
            url(ProviderKind::Bedrock, Some("eu-west-1")).as_deref(),
            Some("https://bedrock-runtime.eu-west-1.amazonaws.com/")
        );
        assert_eq!(
            url(ProviderKind::Vertex, Some("europe-west4")).as_deref(),
            Some("https://europe-west4-aiplatform.googleapis.com/")
        );
        assert_eq!(url(ProviderKind::Vertex, Some("global")).as_deref(), Some("https://aiplatform.googleapis.com/"));
        assert_eq!(url(ProviderKind::Bedrock, Some("x.evil.example/")), None);
        assert_eq!(
            url(ProviderKind::Vertex, Some("evil.example/#")).as_deref(),
            Some("https://aiplatform.googleapis.com/")
        );
        assert_eq!(url(ProviderKind::Azure, Some("eu")), None);
    }
}
