//! A loaded component: compiled, linked, described; ready to be instantiated any number of times.

use std::sync::Arc;

use async_trait::async_trait;

use crate::bindings::ToolPre;
use crate::bindings::exports::mneme::tool::guest::ToolSpec as Described;
use crate::state::State;
use crate::{ConversationHit, ConversationQuery, HostError, MemoryBlock, SandboxError, ToolHost, ToolSpec};

/// A component that a [`crate::Sandbox`] has loaded. Clones share it.
#[derive(Clone)]
pub struct Guest {
    inner: Arc<Inner>,
}

struct Inner {
    pre: ToolPre<State>,
    tools: Vec<ToolSpec>,
    imports: Vec<String>,
}

impl Guest {
    pub(crate) fn new(
        pre: ToolPre<State>,
        described: Vec<Described>,
        imports: Vec<String>,
    ) -> Result<Self, SandboxError> {
        ToolSpec::check_count(described.len())?;
        let tools = described
            .into_iter()
            .map(|spec| ToolSpec::parse(spec.name, spec.description, &spec.parameters, spec.capabilities))
            .collect::<Result<Vec<_>, _>>()?;
        ToolSpec::check_all(&tools)?;
        Ok(Self { inner: Arc::new(Inner { pre, tools, imports }) })
    }

    /// The tools of the component, in its own order.
    pub fn tools(&self) -> &[ToolSpec] {
        &self.inner.tools
    }

    /// What the component imports: names of interfaces with their versions.
    pub fn imports(&self) -> &[String] {
        &self.inner.imports
    }

    /// The tool of that name.
    pub fn tool(&self, name: &str) -> Option<&ToolSpec> {
        self.inner.tools.iter().find(|tool| tool.name == name)
    }

    pub(crate) fn pre(&self) -> &ToolPre<State> {
        &self.inner.pre
    }
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.tools().iter().map(|tool| &tool.name).collect();
        f.debug_struct("Guest").field("tools", &names).finish()
    }
}

/// The host of a guest that works for the server itself, or is only asked to describe itself: there is no agent.
pub struct NoAgent;

#[async_trait]
impl ToolHost for NoAgent {
    async fn blocks(&self) -> Result<Vec<MemoryBlock>, HostError> {
        Err(nobody())
    }

    async fn block(&self, _: &str) -> Result<MemoryBlock, HostError> {
        Err(nobody())
    }

    async fn set_block(&self, _: &str, _: String) -> Result<(), HostError> {
        Err(nobody())
    }

    async fn search_conversation(&self, _: ConversationQuery) -> Result<Vec<ConversationHit>, HostError> {
        Err(nobody())
    }

    fn agent_id(&self) -> &str {
        ""
    }

    fn timezone(&self) -> &str {
        "UTC"
    }

    fn now(&self) -> i64 {
        0
    }
}

fn nobody() -> HostError {
    HostError::Denied("no agent is calling".to_owned())
}
