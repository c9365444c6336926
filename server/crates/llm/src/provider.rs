//! A model provider: where it is, what it speaks, and the credentials for it.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    auth::{self, AwsRole},
    kinds::ProviderKind,
};

/// A model provider. Cheap to clone; `Debug` never shows its secrets.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    name: String,
    kind: ProviderKind,
    base_url: Url,
    api_key: Option<SecretString>,
    extras: Extras,
    guarded: bool,
}

/// What only some kinds of providers want to know.
#[derive(Clone, Default)]
pub struct Extras {
    /// The version of the API: of Azure's routes, or of Anthropic's messages.
    pub api_version: Option<String>,
    /// The region of a cloud: AWS's, or Google's location.
    pub region: Option<String>,
    /// AWS: the id of the access key whose secret is the API key. Without one the API key is a Bedrock API key.
    pub access_key: Option<SecretString>,
    /// AWS: the token of temporary credentials.
    pub session_token: Option<SecretString>,
    /// AWS: where the machine's own credentials are asked for, when there is no key. The operator's provider only.
    pub role: Option<AwsRole>,
    /// Google Cloud: the project that pays. Unset: that of the service account.
    pub project: Option<String>,
    /// Google Cloud: where the machine's metadata service is, when not at the usual place.
    pub metadata_host: Option<String>,
}

impl Provider {
    /// A provider called `name` (for logs and handles) at `base_url`.
    pub fn new(name: impl Into<String>, kind: ProviderKind, base_url: Url, api_key: Option<SecretString>) -> Self {
        let (name, extras) = (name.into(), Extras::default());
        Self(Arc::new(Inner { name, kind, base_url, api_key, extras, guarded: false }))
    }

    /// The same with what its kind wants to know beside the key.
    #[must_use]
    pub fn with(mut self, extras: Extras) -> Self {
        Arc::make_mut(&mut self.0).extras = extras;
        self
    }

    /// The same, named by somebody who is not trusted with this server's network: it is asked through the guarded
    /// client only.
    #[must_use]
    pub fn guarded(mut self) -> Self {
        Arc::make_mut(&mut self.0).guarded = true;
        self
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

    /// What its kind wants to know beside the key.
    pub fn extras(&self) -> &Extras {
        &self.0.extras
    }

    /// Whether it is asked through the guarded client only.
    pub fn is_guarded(&self) -> bool {
        self.0.guarded
    }

    /// A name for the provider with its address and its credentials, which cannot be read out of it. It is another one
    /// when any of them changes.
    pub fn fingerprint(&self) -> String {
        format!("{}#{:016x}", self.0.name, self.identity())
    }

    /// Whether the credentials can be what they are for, as far as it shows without asking.
    ///
    /// # Errors
    /// Says what is wrong with them, without repeating them.
    pub fn validate(&self) -> Result<(), String> {
        let unfit = |text: &str| text.chars().any(|c| !(c.is_ascii_graphic() || c == ' '));
        match self.api_key().map(ExposeSecret::expose_secret) {
            Some(file) if self.0.kind == ProviderKind::Vertex && file.starts_with('{') => {
                auth::service_account_fault(file).map_or(Ok(()), |fault| Err(fault.to_owned()))
            }
            Some(key) if unfit(key) => Err("contains characters that no header may hold".into()),
            _ => Ok(()),
        }
    }

    /// A number for the provider, its address and its credentials: what is learned about one of them is not believed
    /// about another.
    pub(crate) fn identity(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let inner = &*self.0;
        (&inner.name, inner.base_url.as_str(), inner.guarded, &inner.extras.region).hash(&mut hasher);
        for secret in [&inner.api_key, &inner.extras.access_key] {
            secret.as_ref().map(ExposeSecret::expose_secret).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Its secrets, to be kept out of what is shown.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        let extras = &self.0.extras;
        [&self.0.api_key, &extras.access_key, &extras.session_token].into_iter().flatten()
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
            ProviderKind::OpenAi
            | ProviderKind::OpenAiCompatible
            | ProviderKind::OpenRouter
            | ProviderKind::Groq
            | ProviderKind::Xai
            | ProviderKind::Together
            | ProviderKind::DeepSeek
            | ProviderKind::Mistral
            | ProviderKind::Cerebras
            | ProviderKind::HuggingFace
            | ProviderKind::Azure
            | ProviderKind::Bedrock => join(&self.0.base_url, path),
            ProviderKind::Gemini => join(&self.root(), &format!("v1beta/{path}")),
            ProviderKind::Ollama
            | ProviderKind::Vllm
            | ProviderKind::LmStudio
            | ProviderKind::LlamaCpp
            | ProviderKind::Anthropic
            | ProviderKind::Vertex => join(&self.root(), &format!("v1/{path}")),
        }
    }

    /// `path` below the server's root.
    pub(crate) fn unversioned(&self, path: &str) -> Url {
        join(&self.root(), path)
    }
}

/// `base` with `path` appended, whether or not `base` ends in a slash; a query of `base` is kept.
pub(crate) fn join(base: &Url, path: &str) -> Url {
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
            .finish_non_exhaustive()
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
        let extras = Extras { access_key: Some("AKIA-secret".to_owned().into()), ..Extras::default() };
        let shown = format!("{:?}", at(ProviderKind::OpenAi, "https://user:pw@host.example/v1").with(extras));
        assert!(!shown.contains("secret") && !shown.contains("pw"), "{shown}");
        assert!(shown.contains("https://host.example"), "{shown}");
    }

    #[test]
    fn another_key_or_guard_is_another_identity() {
        let one = at(ProviderKind::OpenAi, "https://a.example/v1");
        let key = Provider::new("p", ProviderKind::OpenAi, one.base_url().clone(), Some("other".to_owned().into()));
        assert_eq!(one.identity(), one.clone().identity());
        assert_ne!(one.identity(), key.identity());
        assert_ne!(one.identity(), one.clone().guarded().identity());
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
            (Groq, "https://a.example/openai/v1", "models", "https://a.example/openai/v1/models"),
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
