//! Runs the tool calls of a step. Nothing that a tool or a model does wrong is an error of the turn: it becomes the
//! call's return, and the model reads it.

use std::sync::Arc;

use futures::future::join_all;
use mneme_domain::{
    Actor, ToolId,
    agent::Agent,
    message::{StoredToolCall, StoredToolReturn, ToolStatus},
    tool::Tool,
    tool_rule::ToolRule,
};
use mneme_sandbox::{CallRequest, Limits};
use parking_lot::Mutex;
use serde_json::Value;

use super::host::{AgentHost, Working};
use crate::Core;

/// What came of one call.
pub struct ToolRun {
    /// For the model and the client.
    pub tool_return: StoredToolReturn,
    /// The tool, when there is such a tool.
    pub tool: Option<ToolId>,
}

/// Who calls.
pub struct Caller<'a> {
    pub core: &'a Arc<Core>,
    pub actor: &'a Actor,
    pub agent: &'a Agent,
    pub tools: &'a [Arc<Tool>],
}

impl Caller<'_> {
    /// Runs the calls: at once when every tool allows it, else one after the other in the model's order.
    pub async fn run(&self, calls: &[StoredToolCall], working: &Arc<Mutex<Working>>) -> Vec<ToolRun> {
        let parallel = calls.len() > 1
            && calls.iter().all(|call| {
                self.find(&call.function.name).is_some_and(|tool| tool.enable_parallel_execution == Some(true))
            });
        if parallel {
            return join_all(calls.iter().map(|call| self.call(call, working))).await;
        }
        let mut runs = Vec::with_capacity(calls.len());
        for call in calls {
            runs.push(self.call(call, working).await);
        }
        runs
    }

    fn find(&self, name: &str) -> Option<&Arc<Tool>> {
        self.tools.iter().find(|tool| tool.call_name() == name)
    }

    async fn call(&self, call: &StoredToolCall, working: &Arc<Mutex<Working>>) -> ToolRun {
        let name = &call.function.name;
        let Some(tool) = self.find(name) else {
            let valid: Vec<&str> = self.tools.iter().map(|tool| tool.call_name()).collect();
            let text = format!("[ToolConstraintError] Cannot call {name}, valid tools include: {valid:?}.");
            return refused(call, None, text);
        };
        match serde_json::from_str::<Value>(&call.function.arguments) {
            Ok(Value::Object(_)) => {}
            Ok(_) => {
                return refused(call, Some(tool), format!("The arguments of {name} have to be a JSON object."));
            }
            Err(error) => {
                let text =
                    format!("The arguments of {name} are not valid JSON ({error}). Call it again with valid JSON.");
                return refused(call, Some(tool), text);
            }
        }
        let needs_approval =
            |rule: &ToolRule| matches!(rule, ToolRule::RequiresApproval { tool_name, .. } if tool_name == name);
        if self.agent.tool_rules.iter().any(needs_approval) {
            let text = format!("{name} needs a person's approval, which this version of the server cannot ask for.");
            return refused(call, Some(tool), text);
        }
        if !tool.tool_type.is_builtin() {
            let text = format!("The tool {name} is of type {}, which this server cannot run.", tool.tool_type.as_str());
            return refused(call, Some(tool), text);
        }
        self.builtin(call, tool, working).await
    }

    async fn builtin(&self, call: &StoredToolCall, tool: &Arc<Tool>, working: &Arc<Mutex<Working>>) -> ToolRun {
        let name = &call.function.name;
        let builtins = match self.core.sandbox.builtin().await {
            Ok(builtins) => builtins,
            Err(error) => {
                tracing::error!(%error, "the built-in tools cannot be loaded");
                return refused(call, Some(tool), "The tool could not be run: the sandbox is not available.".into());
            }
        };
        let Some((guest, _)) = builtins.find(name) else {
            return refused(call, Some(tool), format!("The tool {name} is not part of this server."));
        };
        let host = Arc::new(AgentHost::new(
            self.core.clone(),
            self.actor.clone(),
            self.agent.id.clone(),
            self.agent.timezone.clone(),
            working.clone(),
        ));
        let request = CallRequest {
            tool: name.clone(),
            arguments: call.function.arguments.clone(),
            host: host.clone(),
            limits: Limits::default(),
            env: Vec::new(),
        };
        // A tool that fails half-way must not leave half an edit.
        let before = working.lock().clone();
        let outcome = self.core.sandbox.call(guest, request).await;
        let (status, text) = match outcome.result {
            Ok(text) => (ToolStatus::Success, text),
            Err(failure) => {
                if host.wrote() {
                    *working.lock() = before;
                }
                tracing::debug!(tool = %name, agent = %self.agent.id, "a tool call failed");
                (ToolStatus::Error, failure.to_string())
            }
        };
        ToolRun {
            tool_return: StoredToolReturn {
                tool_call_id: Some(call.id.clone()),
                status,
                stdout: (!outcome.stdout.is_empty()).then_some(outcome.stdout),
                stderr: (!outcome.stderr.is_empty()).then_some(outcome.stderr),
                func_response: Some(bounded(text, tool.return_char_limit)),
            },
            tool: Some(tool.id.clone()),
        }
    }
}

fn refused(call: &StoredToolCall, tool: Option<&Arc<Tool>>, text: String) -> ToolRun {
    ToolRun {
        tool_return: StoredToolReturn {
            tool_call_id: Some(call.id.clone()),
            status: ToolStatus::Error,
            stdout: None,
            stderr: None,
            func_response: Some(text),
        },
        tool: tool.map(|tool| tool.id.clone()),
    }
}

/// Cuts a return value to the tool's limit of characters and says so.
fn bounded(text: String, limit: i64) -> String {
    let limit = usize::try_from(limit).unwrap_or(0);
    match text.char_indices().nth(limit) {
        None => text,
        Some((at, _)) => {
            let total = text.chars().count();
            format!("{}… [NOTE: the return value was cut, {total} > {limit} characters]", &text[..at])
        }
    }
}
