//! Tools on MCP servers.

use std::sync::Arc;

use mneme_domain::message::ToolStatus;

use super::{Answer, Call};
use crate::Core;

impl Core {
    pub(super) async fn run_mcp(self: &Arc<Self>, call: &Call<'_>) -> Answer {
        let caller = call.agent.map(|agent| (agent, call.variables.as_slice()));
        match self.mcp_call(call.actor, call.tool, call.arguments, caller).await {
            Ok(called) => Answer {
                status: if called.failed { ToolStatus::Error } else { ToolStatus::Success },
                text: called.text,
                stdout: Vec::new(),
                stderr: Vec::new(),
                denials: Vec::new(),
            },
            Err(reason) => Answer::refused(reason),
        }
    }
}
