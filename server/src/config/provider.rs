//! Model providers in the configuration: entries of the file, and the variables that other tools already use.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;

use mneme_llm::{AwsRole, Extras, ProviderKind};

use super::{aws, value::Secret};

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
    /// The file that holds the key, such as that of a Google service account.
    #[serde(default)]
    pub api_key_file: Option<PathBuf>,
    /// The version of the API: Azure's.
    #[serde(default)]
    pub api_version: Option<String>,
    /// The region: AWS's, or Google Cloud's location.
    #[serde(default)]
    pub region: Option<String>,
    /// AWS: the id of the access key; `api_key` is its secret.
    #[serde(default)]
    pub access_key: Option<Secret>,
    /// AWS: the token of temporary credentials.
    #[serde(default)]
    pub session_token: Option<Secret>,
    /// Google Cloud: the project that pays.
    #[serde(default)]
    pub project: Option<String>,
    /// Google Cloud: the machine's metadata service, for tests.
    #[serde(skip)]
    pub metadata_host: Option<String>,
    /// AWS: where the machine's own credentials are, when there is no key.
    #[serde(skip)]
    pub role: Option<AwsRole>,
}

impl ProviderEntry {
    /// Where the provider is: as configured, or where that kind of provider usually is.
    pub fn url(&self) -> Option<Url> {
        self.base_url.clone().or_else(|| self.kind.default_url(self.region.as_deref()))
    }

    /// What only some kinds want to know.
    pub fn extras(&self) -> Extras {
        let secret = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.inner().clone());
        Extras {
            api_version: self.api_version.clone(),
            region: self.region.clone(),
            access_key: secret(&self.access_key),
            session_token: secret(&self.session_token),
            project: self.project.clone(),
            metadata_host: self.metadata_host.clone(),
            role: self.role.clone(),
        }
    }

    fn new(name: &str, kind: ProviderKind) -> Self {
        Self {
            name: name.into(),
            kind,
            base_url: None,
            api_key: None,
            api_key_env: None,
            api_key_file: None,
            api_version: None,
            region: None,
            access_key: None,
            session_token: None,
            project: None,
            metadata_host: None,
            role: None,
        }
    }
}

/// The names of the kinds in the file.
pub fn kinds() -> String {
    ProviderKind::all().map(ProviderKind::name).collect::<Vec<_>>().join(", ")
}

fn kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<ProviderKind, D::Error> {
    let name = String::deserialize(deserializer)?;
    ProviderKind::from_name(&name).ok_or_else(|| {
        let known = kinds();
        serde::de::Error::custom(format!("'{name}' is no kind of provider; known are {known}"))
    })
}

/// A provider that is set up by environment variables alone.
struct Known {
    name: &'static str,
    kind: ProviderKind,
    keys: &'static [&'static str],
    urls: &'static [&'static str],
}

const fn known(
    name: &'static str,
    kind: ProviderKind,
    keys: &'static [&'static str],
    urls: &'static [&'static str],
) -> Known {
    Known { name, kind, keys, urls }
}

/// Hosted ones are there once there is a key, servers of the operator's own once there is an address.
const KNOWN: [Known; 15] = [
    known("openai", ProviderKind::OpenAi, &["OPENAI_API_KEY"], &["OPENAI_API_BASE", "OPENAI_BASE_URL"]),
    known("anthropic", ProviderKind::Anthropic, &["ANTHROPIC_API_KEY"], &["ANTHROPIC_BASE_URL"]),
    known("google_ai", ProviderKind::Gemini, &["GEMINI_API_KEY"], &["GEMINI_BASE_URL"]),
    known("openrouter", ProviderKind::OpenRouter, &["OPENROUTER_API_KEY"], &["OPENROUTER_BASE_URL"]),
    known("groq", ProviderKind::Groq, &["GROQ_API_KEY"], &["GROQ_BASE_URL"]),
    known("deepseek", ProviderKind::DeepSeek, &["DEEPSEEK_API_KEY"], &["DEEPSEEK_BASE_URL"]),
    known("xai", ProviderKind::Xai, &["XAI_API_KEY"], &["XAI_BASE_URL"]),
    known("together", ProviderKind::Together, &["TOGETHER_API_KEY"], &["TOGETHER_BASE_URL"]),
    known("mistral", ProviderKind::Mistral, &["MISTRAL_API_KEY"], &["MISTRAL_BASE_URL"]),
    known("cerebras", ProviderKind::Cerebras, &["CEREBRAS_API_KEY"], &["CEREBRAS_BASE_URL"]),
    known("hugging-face", ProviderKind::HuggingFace, &["HF_TOKEN", "HUGGINGFACE_API_KEY"], &["HUGGINGFACE_BASE_URL"]),
    known("ollama", ProviderKind::Ollama, &["OLLAMA_API_KEY"], &["OLLAMA_BASE_URL"]),
    known("vllm", ProviderKind::Vllm, &["VLLM_API_KEY"], &["VLLM_API_BASE", "VLLM_BASE_URL"]),
    known("lmstudio_openai", ProviderKind::LmStudio, &["LMSTUDIO_API_KEY"], &["LMSTUDIO_BASE_URL"]),
    known("llamacpp", ProviderKind::LlamaCpp, &["LLAMACPP_API_KEY"], &["LLAMACPP_BASE_URL"]),
];

/// Looks up an environment variable.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The providers that the environment sets up: a hosted one by its key or an address, a local one by its address, a
/// cloud by all that it takes.
pub fn from_environment(lookup: Lookup<'_>) -> Result<Vec<ProviderEntry>, String> {
    let mut found = Vec::new();
    for known in &KNOWN {
        let (key, url) = (first(lookup, known.keys), first(lookup, known.urls));
        if url.is_none() && (key.is_none() || known.kind.default_url(None).is_none()) {
            continue;
        }
        let base_url = address(url)?;
        let kind = base_url.as_ref().map_or(known.kind, |url| known.kind.at(url));
        let api_key = key.map(|(_, text)| Secret::new(text.trim()));
        found.push(ProviderEntry { base_url, api_key, ..ProviderEntry::new(known.name, kind) });
    }
    found.extend(azure(lookup)?);
    found.extend(vertex(lookup)?);
    found.extend(bedrock(lookup)?);
    Ok(found)
}

/// The first of these variables that says something.
fn first(lookup: Lookup<'_>, names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| {
        let text = lookup(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
        Some((*name, text))
    })
}

pub(super) fn secret(lookup: Lookup<'_>, name: &'static str) -> Option<Secret> {
    first(lookup, &[name]).map(|(_, text)| Secret::new(text))
}

pub(super) fn text(lookup: Lookup<'_>, names: &[&'static str]) -> Option<String> {
    first(lookup, names).map(|(_, text)| text)
}

fn address(found: Option<(&'static str, String)>) -> Result<Option<Url>, String> {
    found.map(|(variable, text)| parse_url(&text).map_err(|reason| format!("{variable}: {reason}"))).transpose()
}

/// Azure is there once its key and the resource's address are.
fn azure(lookup: Lookup<'_>) -> Result<Option<ProviderEntry>, String> {
    let Some(api_key) = secret(lookup, "AZURE_API_KEY") else { return Ok(None) };
    let Some(base_url) = address(first(lookup, &["AZURE_BASE_URL", "AZURE_OPENAI_ENDPOINT"]))? else {
        return Err("AZURE_API_KEY: AZURE_BASE_URL has to name the address of the resource, too".to_owned());
    };
    Ok(Some(ProviderEntry {
        base_url: Some(base_url),
        api_key: Some(api_key),
        api_version: text(lookup, &["AZURE_API_VERSION"]),
        ..ProviderEntry::new("azure", ProviderKind::Azure)
    }))
}

/// Vertex is there once a project and a location are; the credentials may be a file, or the machine's own.
fn vertex(lookup: Lookup<'_>) -> Result<Option<ProviderEntry>, String> {
    let project = text(lookup, &["GOOGLE_CLOUD_PROJECT"]);
    let region = text(lookup, &["GOOGLE_CLOUD_LOCATION"]);
    let (Some(project), Some(region)) = (project, region) else { return Ok(None) };
    let usual = || {
        let home = PathBuf::from(lookup("HOME")?);
        Some(home.join(".config/gcloud/application_default_credentials.json")).filter(|file| file.is_file())
    };
    let file = text(lookup, &["GOOGLE_APPLICATION_CREDENTIALS"]).map(PathBuf::from).or_else(usual);
    let api_key = match &file {
        Some(file) => Some(read_key(file).map_err(|reason| format!("GOOGLE_APPLICATION_CREDENTIALS: {reason}"))?),
        None => None,
    };
    Ok(Some(ProviderEntry {
        base_url: address(first(lookup, &["VERTEX_BASE_URL"]))?,
        api_key,
        project: Some(project),
        region: Some(region),
        metadata_host: text(lookup, &["GCE_METADATA_HOST"]),
        ..ProviderEntry::new("google_vertex", ProviderKind::Vertex)
    }))
}

/// Bedrock is there once a region is, and an access key, a Bedrock key, or a machine whose variables say where it keeps
/// credentials of its own.
fn bedrock(lookup: Lookup<'_>) -> Result<Option<ProviderEntry>, String> {
    let Some(region) = text(lookup, &["AWS_DEFAULT_REGION", "AWS_REGION"]) else { return Ok(None) };
    let access_key = secret(lookup, "AWS_ACCESS_KEY_ID");
    let (access_key, api_key) = match (secret(lookup, "AWS_BEARER_TOKEN_BEDROCK"), access_key) {
        (Some(bearer), _) => (None, Some(bearer)),
        (None, Some(id)) => (Some(id), secret(lookup, "AWS_SECRET_ACCESS_KEY")),
        (None, None) => (None, None),
    };
    let role = if access_key.is_none() && api_key.is_none() { aws::named(lookup)? } else { None };
    if api_key.is_none() && role.is_none() {
        return Ok(None);
    }
    Ok(Some(ProviderEntry {
        base_url: address(first(lookup, &["AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "BEDROCK_BASE_URL"]))?,
        session_token: secret(lookup, "AWS_SESSION_TOKEN").filter(|_| access_key.is_some()),
        access_key,
        api_key,
        role,
        region: Some(region),
        ..ProviderEntry::new("bedrock", ProviderKind::Bedrock)
    }))
}

/// A key that is kept in a file.
pub(super) fn read_key(file: &Path) -> Result<Secret, String> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Secret::new(text.trim())),
        Err(error) => Err(format!("cannot read {}: {error}", file.display())),
    }
}

/// Reads an address; one without a scheme means plain HTTP.
pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    match Url::parse(&whole) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err("this is not an http:// or https:// address".to_owned()),
    }
}
