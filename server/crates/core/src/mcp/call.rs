//! Calls a tool on its server, over another connection when the first one turns out to be gone.

use std::{collections::BTreeMap, sync::Arc};

use mneme_domain::{
    Actor, AgentId, EntityId, JsonObject,
    mcp::{McpConfig, McpOrigin, McpServer},
    tool::Tool,
};

use super::{failure::Trouble, pool::Urgency, resolve::resolve, result::words, template::is_template};
use crate::Core;

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// What the tool returned, in words.
    pub text: String,
    /// Whether the tool says that it failed.
    pub failed: bool,
}

/// Whether a configuration depends on who calls.
fn depends(config: &McpConfig) -> bool {
    match config {
        McpConfig::Stdio(stdio) => stdio.env.iter().flatten().any(|(_, value)| is_template(value)),
        McpConfig::Remote(remote) => {
            remote.auth_token.as_deref().is_some_and(is_template)
                || remote.custom_headers.iter().flatten().any(|(_, value)| is_template(value))
        }
    }
}

impl Core {
    /// Calls a tool of a server.
    ///
    /// # Errors
    /// When the server cannot be reached or does not answer. What the tool itself says went wrong is no error.
    pub(super) async fn mcp_call_tool(
        self: &Arc<Self>,
        actor: &Actor,
        server: &McpServer,
        name: &str,
        arguments: JsonObject,
        caller: Option<(&AgentId, &[(String, String)])>,
    ) -> Result<Called, Trouble> {
        let variables = match caller {
            // Most servers have nothing to fill in, and then nothing is read.
            Some((agent, given)) if depends(&server.config) => {
                let read = self.mcp_variables(actor, agent, given).await;
                Some(read.map_err(|error| Trouble::Forbidden(error.to_string()))?)
            }
            Some(_) => Some(BTreeMap::new()),
            None => None,
        };
        let resolved = resolve(&server.config, variables.as_ref())?;
        let agent = caller.map(|(agent, _)| agent.as_str());
        let mut again = true;
        loop {
            let connection = self.mcp_connection(actor, server, &resolved, Urgency::Usual).await?;
            match connection.call(name, arguments.clone(), agent).await {
                Ok(result) => {
                    let (text, failed) = words(&result);
                    return Ok(Called { text, failed });
                }
                Err(trouble) => {
                    if trouble.breaks() {
                        self.mcp_discard(actor, server, &resolved, &connection).await;
                    }
                    // What may have had its effect is not done again.
                    if !(again && trouble.may_repeat()) {
                        return Err(trouble);
                    }
                    again = false;
                }
            }
        }
    }

    /// Calls a tool of the registry on the server that it came from.
    ///
    /// # Errors
    /// In words for a model.
    pub(crate) async fn mcp_call(
        self: &Arc<Self>,
        actor: &Actor,
        tool: &Tool,
        arguments: &str,
        caller: Option<(&AgentId, &[(String, String)])>,
    ) -> Result<Called, String> {
        let name = tool.call_name();
        let origin = McpOrigin::of(tool.metadata_.as_ref())
            .ok_or_else(|| format!("The tool {name} belongs to an MCP server that is not set up here."))?;
        let server = self.mcp_server_for_call(actor, &origin.server_id).await.map_err(|error| error.to_string())?;
        let server = server.ok_or_else(|| {
            format!("The MCP server {} of the tool {name} is not set up any more.", origin.server_name)
        })?;
        let arguments: JsonObject = serde_json::from_str(arguments)
            .map_err(|_| format!("The arguments of {name} have to be a JSON object."))?;
        let there = origin.tool_name.as_deref().unwrap_or(name);
        let called = self.mcp_call_tool(actor, &server, there, arguments, caller).await;
        called.map_err(|trouble| {
            let server = &server.name;
            format!("The tool {name} could not be run on the MCP server {server}: {}", trouble.text())
        })
    }
}
