//! Built-in tools: components that come with the server.

use std::{collections::BTreeSet, sync::Arc};

use mneme_domain::{message::ToolStatus, policy::ToolKind};
use mneme_sandbox::{CallOutcome, CallRequest, Guest, ToolSpec};

use super::{Answer, Call, powers::Powers};
use crate::Core;

/// How a tool's declaration names an environment variable that it reads.
const ENV: &str = "env:";

impl Core {
    pub(super) async fn run_builtin(self: &Arc<Self>, call: &Call<'_>) -> Answer {
        let name = call.tool.call_name();
        let builtins = match self.sandbox.builtin().await {
            Ok(builtins) => builtins,
            Err(error) => {
                tracing::error!(%error, "the built-in tools cannot be loaded");
                return Answer::refused("The tool could not be run: the sandbox is not available.");
            }
        };
        match builtins.find(name) {
            Some((guest, spec)) => self.call_guest(call, guest, spec).await,
            None => Answer::refused(format!("The tool {name} is not part of this server.")),
        }
    }

    async fn call_guest(&self, call: &Call<'_>, guest: &Guest, spec: &ToolSpec) -> Answer {
        let declared: BTreeSet<&str> = spec.capabilities.iter().filter_map(|name| name.strip_prefix(ENV)).collect();
        // Most built-in tools read no variables, and then no query is needed.
        let (powers, env) = if declared.is_empty() {
            (Powers::of(ToolKind::Builtin), Vec::new())
        } else {
            match self.powers(call).await {
                Ok(mut powers) => {
                    let env = self.declared(&declared, std::mem::take(&mut powers.env));
                    (powers, env)
                }
                Err(error) => {
                    tracing::error!(%error, "the variables of a tool cannot be read");
                    return Answer::refused("The tool could not be run: its variables cannot be read right now.");
                }
            }
        };
        let request = CallRequest {
            tool: spec.name.clone(),
            arguments: call.arguments.to_owned(),
            host: call.host.clone(),
            limits: powers.limits,
            grants: powers.grants,
            env,
        };
        Answer::from(self.sandbox.call(guest, request).await)
    }

    /// The declared variables: the agent's own, else the server's.
    fn declared(&self, names: &BTreeSet<&str>, agents: Vec<(String, String)>) -> Vec<(String, String)> {
        let mut env: Vec<(String, String)> =
            agents.into_iter().filter(|(name, _)| names.contains(name.as_str())).collect();
        for &name in names {
            if env.iter().all(|(known, _)| known != name)
                && let Some(value) = self.config.tool_variables.get(name)
            {
                env.push((name.to_owned(), secrecy::ExposeSecret::expose_secret(value).to_owned()));
            }
        }
        env
    }
}

impl From<CallOutcome> for Answer {
    fn from(outcome: CallOutcome) -> Self {
        let (status, text) = match outcome.result {
            Ok(text) => (ToolStatus::Success, text),
            Err(failure) => (ToolStatus::Error, failure.to_string()),
        };
        Self { status, text, stdout: outcome.stdout, stderr: outcome.stderr, denials: outcome.denials }
    }
}
