//! Model providers in the configuration: entries of the file, and the variables that other tools already use.

use serde::Deserialize;
use url::Url;

use mneme_llm::ProviderKind;

use super::value::Secret;

/// A provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderEntry {
    /// The part of a model handle before the slash.
    pub name: String,
    /// What it speaks.
    #[serde(deserialize_with = "kind")]
    pub kind: ProviderKind,
    /// Where it is; left out for hosted providers.
    #[serde(default)]
    pub base_url: Option<Url>,
    /// The key.
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// The environment variable that holds the key.
    #[serde(default)]
    pub api_key_env: Option<String>,
}

impl ProviderEntry {
    /// Where the provider is: as configured, or where that kind of provider usually is.
    pub fn url(&self) -> Option<Url> {
        self.base_url.clone().or_else(|| default_url(&self.name, self.kind)?.parse().ok())
    }
}

/// The names of the kinds in the file.
pub const KINDS: [(&str, ProviderKind); 9] = [
    ("openai", ProviderKind::OpenAi),
    ("openai_compatible", ProviderKind::OpenAiCompatible),
    ("anthropic", ProviderKind::Anthropic),
    ("gemini", ProviderKind::Gemini),
    ("openrouter", ProviderKind::OpenRouter),
    ("ollama", ProviderKind::Ollama),
    ("vllm", ProviderKind::Vllm),
    ("lmstudio", ProviderKind::LmStudio),
    ("llamacpp", ProviderKind::LlamaCpp),
];

fn kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<ProviderKind, D::Error> {
    let name = String::deserialize(deserializer)?;
    KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind).ok_or_else(|| {
        let known = KINDS.map(|(name, _)| name).join(", ");
        serde::de::Error::custom(format!("'{name}' is no kind of provider; known are {known}"))
    })
}

/// A provider that is set up by environment variables alone.
struct Known {
    name: &'static str,
    kind: ProviderKind,
    keys: &'static [&'static str],
    urls: &'static [&'static str],
    default_url: Option<&'static str>,
}

const KNOWN: [Known; 13] = [
    Known {
        name: "openai",
        kind: ProviderKind::OpenAi,
        keys: &["OPENAI_API_KEY"],
        urls: &["OPENAI_API_BASE", "OPENAI_BASE_URL"],
        default_url: Some("https://api.openai.com/v1"),
    },
    Known {
        name: "anthropic",
        kind: ProviderKind::Anthropic,
        keys: &["ANTHROPIC_API_KEY"],
        urls: &["ANTHROPIC_BASE_URL"],
        default_url: Some("https://api.anthropic.com"),
    },
    Known {
        name: "google_ai",
        kind: ProviderKind::Gemini,
        keys: &["GEMINI_API_KEY"],
        urls: &["GEMINI_BASE_URL"],
        default_url: Some("https://generativelanguage.googleapis.com"),
    },
    Known {
        name: "openrouter",
        kind: ProviderKind::OpenRouter,
        keys: &["OPENROUTER_API_KEY"],
        urls: &["OPENROUTER_BASE_URL"],
        default_url: Some("https://openrouter.ai/api/v1"),
    },
    compatible("groq", &["GROQ_API_KEY"], &["GROQ_BASE_URL"], "https://api.groq.com/openai/v1"),
    compatible("deepseek", &["DEEPSEEK_API_KEY"], &["DEEPSEEK_BASE_URL"], "https://api.deepseek.com/v1"),
    compatible("xai", &["XAI_API_KEY"], &["XAI_BASE_URL"], "https://api.x.ai/v1"),
    compatible("together", &["TOGETHER_API_KEY"], &["TOGETHER_BASE_URL"], "https://api.together.xyz/v1"),
    compatible("mistral", &["MISTRAL_API_KEY"], &["MISTRAL_BASE_URL"], "https://api.mistral.ai/v1"),
    local("ollama", ProviderKind::Ollama, &["OLLAMA_API_KEY"], &["OLLAMA_BASE_URL"]),
    local("vllm", ProviderKind::Vllm, &["VLLM_API_KEY"], &["VLLM_API_BASE", "VLLM_BASE_URL"]),
    local("lmstudio_openai", ProviderKind::LmStudio, &["LMSTUDIO_API_KEY"], &["LMSTUDIO_BASE_URL"]),
    local("llamacpp", ProviderKind::LlamaCpp, &["LLAMACPP_API_KEY"], &["LLAMACPP_BASE_URL"]),
];

const fn compatible(
    name: &'static str,
    keys: &'static [&'static str],
    urls: &'static [&'static str],
    url: &'static str,
) -> Known {
    Known { name, kind: ProviderKind::OpenAiCompatible, keys, urls, default_url: Some(url) }
}

/// A server of the operator's own: only its address sets it up, a key alone does not.
const fn local(
    name: &'static str,
    kind: ProviderKind,
    keys: &'static [&'static str],
    urls: &'static [&'static str],
) -> Known {
    Known { name, kind, keys, urls, default_url: None }
}

/// Variables of providers that this server cannot use yet; whoever sets one should be told.
pub const UNSUPPORTED: [&str; 3] = ["AZURE_API_KEY", "GOOGLE_CLOUD_PROJECT", "BEDROCK_ANTHROPIC_VERSION"];

fn default_url(name: &str, kind: ProviderKind) -> Option<&'static str> {
    let by_name = KNOWN.iter().find(|known| known.name == name && known.kind == kind);
    let by_kind = || KNOWN.iter().find(|known| known.kind == kind && kind != ProviderKind::OpenAiCompatible);
    by_name.or_else(by_kind).and_then(|known| known.default_url)
}

/// The providers that the environment sets up: a hosted one by its key or an address, a local one by its address.
pub fn from_environment(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Vec<ProviderEntry>, String> {
    let first = |names: &[&'static str]| {
        names.iter().find_map(|name| lookup(name).filter(|text| !text.trim().is_empty()).map(|text| (*name, text)))
    };
    let mut found = Vec::new();
    for known in &KNOWN {
        let (key, url) = (first(known.keys), first(known.urls));
        if url.is_none() && (key.is_none() || known.default_url.is_none()) {
            continue;
        }
        let base_url = match &url {
            Some((variable, text)) => Some(parse_url(text).map_err(|reason| format!("{variable}: {reason}"))?),
            None => None,
        };
        let kind = base_url.as_ref().map_or(known.kind, |url| kind_at(known.kind, url));
        let api_key = key.map(|(_, text)| Secret::new(text.trim()));
        found.push(ProviderEntry { name: known.name.into(), kind, base_url, api_key, api_key_env: None });
    }
    Ok(found)
}

/// The guides point `OPENAI_API_BASE` at OpenRouter; that server does not speak the newer half of OpenAI's API.
fn kind_at(kind: ProviderKind, url: &Url) -> ProviderKind {
    let router = url.host_str().is_some_and(|host| host == "openrouter.ai" || host.ends_with(".openrouter.ai"));
    if kind == ProviderKind::OpenAi && router { ProviderKind::OpenRouter } else { kind }
}

/// Reads an address; one without a scheme means plain HTTP.
fn parse_url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    match Url::parse(&whole) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err("this is not an http:// or https:// address".to_owned()),
    }
}
