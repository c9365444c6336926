//! Which search service an agent can use.

use mneme_tool_sdk::{Capability, Host, Secret, ToolError};

use crate::exa::Exa;

const EXA_KEY: &str = "EXA_API_KEY";
const EXA_URL: &str = "EXA_BASE_URL";
const TAVILY_KEY: &str = "TAVILY_API_KEY";
const TAVILY_URL: &str = "TAVILY_BASE_URL";
const SEARXNG_URL: &str = "SEARXNG_URL";

/// The first service, in this order, that the agent's variables name.
pub enum Service {
    Exa(Exa),
    Tavily(Tavily),
    /// The address of an instance.
    Searxng(String),
    None,
}

/// An account at Tavily.
pub struct Tavily {
    pub key: Secret,
    pub base_url: Option<String>,
}

impl<'h> Capability<'h> for Service {
    const NAMES: &'static [&'static str] =
        &["env:EXA_API_KEY", "env:EXA_BASE_URL", "env:TAVILY_API_KEY", "env:TAVILY_BASE_URL", "env:SEARXNG_URL"];

    fn granted(host: &'h dyn Host) -> Self {
        let variable = |name| host.variable(name).filter(|value| !value.trim().is_empty());
        if let Some(key) = variable(EXA_KEY) {
            Self::Exa(Exa::new(Secret::new(key), variable(EXA_URL)))
        } else if let Some(key) = variable(TAVILY_KEY) {
            Self::Tavily(Tavily { key: Secret::new(key), base_url: variable(TAVILY_URL) })
        } else {
            variable(SEARXNG_URL).map_or(Self::None, Self::Searxng)
        }
    }
}

/// What the model hears when there is no service.
pub fn missing() -> ToolError {
    ToolError::failed(format!(
        "The web cannot be searched: no search service is set up. Whoever runs the server can set {EXA_KEY} (Exa), \
         {TAVILY_KEY} (Tavily) or {SEARXNG_URL} (the address of a SearXNG instance), for the server or in the agent's \
         tool variables."
    ))
}
