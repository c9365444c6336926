//! Runs the tool calls of a step. Nothing that a tool or a model does wrong is an error of the turn: it becomes the
//! call's return, and the model reads it.

use std::sync::Arc;

use futures::future::join_all;
use mneme_domain::{
    Actor, RunId, StepId, ToolId,
    agent::Agent,
    archive::Passage,
    message::{StoredToolCall, StoredToolReturn, ToolStatus},
    tool::{Tool, ToolType},
};
use parking_lot::Mutex;
use serde_json::Value;

use super::{
    host::{AgentHost, Working},
    rules::Offer,
};
use crate::{Core, api::Chain, context::pictures, execute};

/// What came of one call.
#[derive(Debug, Clone)]
pub struct ToolRun {
    /// For the model and the client.
    pub tool_return: StoredToolReturn,
    /// The tool, when there is such a tool.
    pub tool: Option<ToolId>,
    /// The blocks that it wrote, by label, in order.
    pub writes: Vec<(String, String)>,
    /// What it put into archival memory, in order.
    pub kept: Vec<Passage>,
}

/// Who calls.
pub struct Caller<'a> {
    pub core: &'a Arc<Core>,
    pub actor: &'a Actor,
    pub agent: &'a Agent,
    pub tools: &'a [Arc<Tool>],
    /// The run and its step; none for calls that waited in an agent file.
    pub step: Option<(&'a RunId, &'a StepId)>,
    /// What led to the calls, the agent itself last.
    pub chain: Arc<Chain>,
}

impl Caller<'_> {
    /// Runs the calls: at once when every tool allows it, else one after the other in the model's order.
    ///
    /// `settled` holds, at their places, the returns of calls that do not run.
    ///
    /// `before` is what the calls came to when somebody changed a block meanwhile. A tool that reaches the world is not
    /// run twice for that.
    pub async fn run(
        &self,
        calls: &[StoredToolCall],
        settled: &[Option<StoredToolReturn>],
        working: &Arc<Mutex<Working>>,
        before: &[ToolRun],
    ) -> Vec<ToolRun> {
        let parallel = calls.len() > 1
            && before.is_empty()
            && settled.iter().all(Option::is_none)
            && calls.iter().all(|call| {
                self.find(&call.function.name).is_some_and(|tool| tool.enable_parallel_execution == Some(true))
            });
        if parallel {
            return join_all(calls.iter().map(|call| self.call(call, working))).await;
        }
        let mut runs = Vec::with_capacity(calls.len());
        for (index, call) in calls.iter().enumerate() {
            if let Some(Some(tool_return)) = settled.get(index) {
                let tool = self.find(&call.function.name).map(|tool| tool.id.clone());
                runs.push(ToolRun { tool_return: tool_return.clone(), tool, writes: Vec::new(), kept: Vec::new() });
                continue;
            }
            let replayed = before.get(index).and_then(|before| self.replay(call, before, working));
            runs.push(match replayed {
                Some(run) => run,
                None => self.call(call, working).await,
            });
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
            return refused(call, None, Offer::default().refusal(name, &valid));
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
        let host = Arc::new(AgentHost::new(
            self.core.clone(),
            self.actor.clone(),
            self.agent.id.clone(),
            self.agent.timezone.clone(),
            self.chain.clone(),
            working.clone(),
        ));
        // A tool that fails half-way must not leave half an edit.
        let before = working.lock().clone();
        let job = execute::Call {
            actor: self.actor,
            agent: Some(&self.agent.id),
            step: self.step,
            tool,
            arguments: &call.function.arguments,
            host: host.clone(),
            variables: Vec::new(),
        };
        let answer = self.core.execute(job).await;
        let (writes, kept) = (host.writes(), host.kept());
        if answer.status == ToolStatus::Error {
            if !writes.is_empty() || !kept.is_empty() {
                *working.lock() = before;
            }
            tracing::debug!(tool = %name, agent = %self.agent.id, "a tool call failed");
        }
        ToolRun {
            tool_return: StoredToolReturn {
                tool_call_id: Some(call.id.clone()),
                status: answer.status,
                stdout: (!answer.stdout.is_empty()).then_some(answer.stdout),
                stderr: (!answer.stderr.is_empty()).then_some(answer.stderr),
                func_response: Some(returned(tool, answer.text)),
            },
            tool: Some(tool.id.clone()),
            writes: if answer.status == ToolStatus::Error { Vec::new() } else { writes },
            kept: if answer.status == ToolStatus::Error { Vec::new() } else { kept },
        }
    }

    /// What a call came to before, with its edits made again on the blocks as they are now. None for tools that only
    /// compute with memory: those run again and see what changed.
    fn replay(&self, call: &StoredToolCall, before: &ToolRun, working: &Arc<Mutex<Working>>) -> Option<ToolRun> {
        use ToolType::{LettaCore, LettaMemoryCore, LettaSleeptimeCore};
        let tool = self.find(&call.function.name)?;
        if matches!(tool.tool_type, LettaCore | LettaMemoryCore | LettaSleeptimeCore) {
            return None;
        }
        let mut working = working.lock();
        for (label, value) in &before.writes {
            working.set(label, value);
        }
        for passage in &before.kept {
            working.stage(passage.clone());
        }
        Some(before.clone())
    }
}

/// The return of a call that does not run.
pub fn refusal(call: &StoredToolCall, text: String) -> StoredToolReturn {
    StoredToolReturn {
        tool_call_id: Some(call.id.clone()),
        status: ToolStatus::Error,
        stdout: None,
        stderr: None,
        func_response: Some(text),
    }
}

fn refused(call: &StoredToolCall, tool: Option<&Arc<Tool>>, text: String) -> ToolRun {
    ToolRun {
        tool_return: refusal(call, text),
        tool: tool.map(|tool| tool.id.clone()),
        writes: Vec::new(),
        kept: Vec::new(),
    }
}

/// The return value as it is kept. Pictures are not text: what limits text does not cut them.
fn returned(tool: &Tool, text: String) -> String {
    let limit = tool.return_char_limit;
    let draws = tool.tool_type == ToolType::ExternalMcp || tool.call_name() == execute::RUN_CODE;
    let short = |words: &str| words.chars().count() <= usize::try_from(limit).unwrap_or(0);
    match pictures::taken_out(&text) {
        Some((words, _)) if draws && short(&words) => text,
        _ => bounded(text, limit),
    }
}

/// Cuts a return value to the tool's limit of characters and says so.
fn bounded(text: String, limit: i64) -> String {
    let limit = usize::try_from(limit).unwrap_or(0);
    match text.char_indices().nth(limit) {
        None => text,
        Some((at, _)) => {
            let total = text.chars().count();
            format!("{}… [truncated: the return value has {total} characters, more than {limit}]", &text[..at])
        }
    }
}
