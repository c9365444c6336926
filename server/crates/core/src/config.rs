//! What the core needs to know from the operator.

use std::{collections::BTreeMap, time::Duration};

use mneme_llm::{Extras, PriceTable, ProviderKind};
use secrecy::SecretString;
use url::Url;

use crate::{
    embedding::LocalModel, files::FilesConfig, mcp::McpSettings, outbound::PrivateNetwork, packages::PackagesConfig,
};

/// The shortest time between two looks at a batch.
pub(crate) const LEAST_POLL: Duration = Duration::from_millis(50);

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
    /// What only some kinds want to know.
    pub extras: Extras,
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
    /// How soon a batch that was handed over to its provider is looked at; later looks come less and less often.
    pub batch_poll: Duration,
    /// Signs callbacks, so that who is told can check who tells.
    pub callback_secret: Option<SecretString>,
    /// How packages for users' tools are fetched.
    pub packages: PackagesConfig,
    /// How MCP servers are talked to.
    pub mcp: McpSettings,
    /// Whether messages get vectors, so that they are found by meaning.
    pub embed_messages: bool,
    /// The embedding model that is in the binary.
    pub local_model: Option<LocalModel>,
    /// How uploads are taken.
    pub files: FilesConfig,
    /// What models cost.
    pub prices: PriceTable,
    /// How long it is kept what went over the wire to a provider; zero keeps none of it.
    pub trace_age: Duration,
}

impl CoreConfig {
    /// Whether it is kept what goes over the wire to a provider.
    pub fn keeps_traces(&self) -> bool {
        !self.trace_age.is_zero()
    }
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
            batch_poll: Duration::from_secs(2),
            callback_secret: None,
            packages: PackagesConfig::default(),
            mcp: McpSettings::default(),
            embed_messages: true,
            local_model: None,
            prices: PriceTable::default(),
            trace_age: Duration::from_secs(30 * 86_400),
            files: FilesConfig::default(),
        }
    }
}
