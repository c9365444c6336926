//! What the core needs to know from the operator.

use std::{collections::BTreeMap, time::Duration};

use mneme_llm::ProviderKind;
use secrecy::SecretString;
use url::Url;

use crate::{files::FilesConfig, outbound::PrivateNetwork, packages::PackagesConfig};

/// A model provider that the operator set up.
#[derive(Clone)]
pub struct ProviderConfig {
    /// The part of a model handle before the slash.
    pub name: String,
    /// What it speaks.
    pub kind: ProviderKind,
    /// Where it is.
    pub base_url: Url,
    /// The key, where it needs one.
    pub api_key: Option<SecretString>,
}

impl std::fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProviderConfig").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Settings of the core.
#[derive(Debug, Clone)]
pub struct CoreConfig {
    /// Providers from the operator's configuration.
    pub providers: Vec<ProviderConfig>,
    /// The most tokens that a new agent's context window has unless it asks for more: a larger window than this
    /// makes each turn slower and dearer, so it is a choice, not a default.
    pub default_context_window: u32,
    /// How long a provider's list of models is used before it is asked again.
    pub model_cache: Duration,
    /// How long a listing waits for a provider that does not answer.
    pub model_list_timeout: Duration,
    /// How old the time in a system prompt may get before the prompt is written anew.
    pub prompt_refresh: Duration,
    /// Which addresses that are not public images and callbacks may have.
    pub private_network: PrivateNetwork,
    /// Environment variables of the server that built-in tools may read, such as the keys of search services. An
    /// agent's own variables go before them.
    pub tool_variables: BTreeMap<String, SecretString>,
    /// How long a server counts as alive after its last sign of life. Longer than a pause that it may make.
    pub run_lease: Duration,
    /// Whether a message to an agent that is busy is refused instead of waiting for its turn.
    pub reject_busy: bool,
    /// Signs callbacks, so that who is told can check who tells.
    pub callback_secret: Option<SecretString>,
    /// How packages for users' tools are fetched.
    pub packages: PackagesConfig,
    /// How uploads are taken.
    pub files: FilesConfig,
}

impl Default for CoreConfig {
    fn default() -> Self {
        Self {
            providers: Vec::new(),
            default_context_window: 32_000,
            model_cache: Duration::from_secs(300),
            model_list_timeout: Duration::from_secs(10),
            prompt_refresh: Duration::from_secs(600),
            private_network: PrivateNetwork::Deny,
            tool_variables: BTreeMap::new(),
            run_lease: Duration::from_secs(12),
            reject_busy: false,
            callback_secret: None,
            packages: PackagesConfig::default(),
            files: FilesConfig::default(),
        }
    }
}
