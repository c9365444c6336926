//! A model provider: where it is, what it speaks, and the key for it.

use std::{fmt, sync::Arc};

use secrecy::SecretString;
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
    /// Anthropic's Messages API; the base URL has no version.
    Anthropic,
    /// Google's Gemini API; the base URL has no version.
    Gemini,
}

/// A model provider. Cheap to clone; `Debug` never shows the key.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

struct Inner {
    name: String,
    kind: ProviderKind,
    base_url: Url,
    api_key: Option<SecretString>,
}

impl Provider {
    /// A provider called `name` (for logs and handles) at `base_url`.
    pub fn new(name: impl Into<String>, kind: ProviderKind, base_url: Url, api_key: Option<SecretString>) -> Self {
        Self(Arc::new(Inner { name: name.into(), kind, base_url, api_key }))
    }

    /// The name it goes by in handles.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What sort of server it is.
    pub fn kind(&self) -> ProviderKind {
        self.0.kind
    }

    /// Where it is.
    pub fn base_url(&self) -> &Url {
        &self.0.base_url
    }

    /// The key to authenticate with.
    pub fn api_key(&self) -> Option<&SecretString> {
        self.0.api_key.as_ref()
    }

    /// The base URL without its version segment, for the routes that servers keep beside their versioned API.
    pub(crate) fn root(&self) -> Url {
        let mut url = self.0.base_url.clone();
        let path = url.path().trim_end_matches('/').to_owned();
        let path = ["/v1beta", "/v1"].iter().find_map(|version| path.strip_suffix(version)).unwrap_or(&path).to_owned();
        url.set_path(&path);
        url
    }

    /// `path` below the versioned API; servers that are usually configured by their root get the version added.
    pub(crate) fn versioned(&self, path: &str) -> Url {
        match self.0.kind {
            ProviderKind::OpenAi | ProviderKind::OpenAiCompatible | ProviderKind::OpenRouter => {
                join(&self.0.base_url, path)
            }
            ProviderKind::Gemini => join(&self.root(), &format!("v1beta/{path}")),
            _ => join(&self.root(), &format!("v1/{path}")),
        }
    }

    /// `path` below the server's root.
    pub(crate) fn unversioned(&self, path: &str) -> Url {
        join(&self.root(), path)
    }
}

/// `base` with `path` appended, whether or not `base` ends in a slash; a query of `base` is kept.
fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let joined = format!("{}/{path}", url.path().trim_end_matches('/'));
    url.set_path(&joined);
    url
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A base URL may carry credentials of its own, so only its origin is shown.
        f.debug_struct("Provider")
            .field("name", &self.0.name)
            .field("kind", &self.0.kind)
            .field("base_url", &self.0.base_url.origin().ascii_serialization())
            .field("api_key", &self.0.api_key.as_ref().map(|_| "[redacted]"))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(kind: ProviderKind, base: &str) -> Provider {
        Provider::new("p", kind, base.parse().expect("url"), Some("sk-very-secret".to_owned().into()))
    }

    #[test]
    fn debug_hides_the_key_and_credentials_in_the_url() {
        let shown = format!("{:?}", at(ProviderKind::OpenAi, "https://user:pw@host.example/v1"));
        assert!(!shown.contains("sk-very-secret") && !shown.contains("pw"), "{shown}");
        assert!(shown.contains("https://host.example"), "{shown}");
    }

    #[test]
    fn urls_follow_the_convention_of_each_kind() {
        use ProviderKind::*;
        for (kind, base, path, expected) in [
            (OpenAi, "https://a.example/v1", "responses", "https://a.example/v1/responses"),
            (OpenAi, "https://a.example/v1/", "models", "https://a.example/v1/models"),
            (
                OpenAiCompatible,
                "https://a.example/openai/v1?api=2",
                "models",
                "https://a.example/openai/v1/models?api=2",
            ),
            (Ollama, "http://a.example:11434", "chat/completions", "http://a.example:11434/v1/chat/completions"),
            (Vllm, "http://a.example/v1/", "models", "http://a.example/v1/models"),
            (Anthropic, "https://a.example", "messages", "https://a.example/v1/messages"),
            (Anthropic, "https://a.example/v1", "messages", "https://a.example/v1/messages"),
            (Gemini, "https://a.example/", "models/m:x", "https://a.example/v1beta/models/m:x"),
        ] {
            assert_eq!(at(kind, base).versioned(path).as_str(), expected);
        }
        assert_eq!(at(Ollama, "http://a.example/v1").unversioned("api/tags").as_str(), "http://a.example/api/tags");
    }
}
