//! Tools in components: those that come with the server, and those that users uploaded.

use std::{collections::BTreeSet, sync::Arc};

use mneme_domain::{
    message::ToolStatus,
    policy::{Denial, capability},
};
use mneme_sandbox::{CallOutcome, CallRequest, Guest, ToolSpec};

use super::{
    Answer, Call,
    powers::{Asks, Powers, withheld},
};
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

    pub(super) async fn call_guest(&self, call: &Call<'_>, guest: &Guest, spec: &ToolSpec) -> Answer {
        let declared: BTreeSet<&str> = spec.capabilities.iter().filter_map(|name| name.strip_prefix(ENV)).collect();
        // Most built-in tools read no variables, and then none are read for them.
        let asks = if declared.is_empty() { Asks::Nothing } else { Asks::Anything };
        let mut powers = match self.powers(call, asks).await {
            Ok(powers) => powers,
            Err(error) => {
                tracing::error!(%error, "what a tool may use cannot be read");
                return Answer::refused("The tool could not be run: what it may use cannot be read right now.");
            }
        };
        // The server's own variables are for the tools that come with it.
        let servers = call.tool.tool_type.is_builtin();
        let (env, withheld) = self.declared(&declared, &mut powers, servers);
        let request = CallRequest {
            tool: spec.name.clone(),
            arguments: call.arguments.to_owned(),
            host: call.host.clone(),
            limits: powers.limits,
            grants: powers.grants,
            env,
        };
        let mut outcome = self.sandbox.call(guest, request).await;
        outcome.denials.extend(withheld);
        Answer::from(outcome)
    }

    /// The declared variables: the agent's own or its organisation's, else, where allowed, the server's; and the refusals of those that
    /// there are and that the policy does not have.
    fn declared(
        &self,
        names: &BTreeSet<&str>,
        powers: &mut Powers,
        servers: bool,
    ) -> (Vec<(String, String)>, Vec<Denial>) {
        let given = std::mem::take(&mut powers.env);
        let mut env: Vec<(String, String)> =
            given.into_iter().filter(|(name, _)| names.contains(name.as_str())).collect();
        let mut missed = std::mem::take(&mut powers.withheld);
        for &name in names {
            if env.iter().any(|(known, _)| known == name) {
                continue;
            }
            match self.config.tool_variables.get(name).filter(|_| servers) {
                Some(_) if !powers.env_policy.allows(name) => missed.push(name.to_owned()),
                Some(value) => env.push((name.to_owned(), secrecy::ExposeSecret::expose_secret(value).to_owned())),
                None => {}
            }
        }
        missed.sort();
        missed.dedup();
        (env, withheld(&missed, |name| names.contains(name)))
    }
}

impl From<CallOutcome> for Answer {
    fn from(outcome: CallOutcome) -> Self {
        let (status, text) = match outcome.result {
            Ok(text) => (ToolStatus::Success, text),
            Err(failure) => {
                // A refusal's own words say what was refused; a missing variable is known to the host alone.
                let missed = outcome.denials.iter().find(|denial| denial.capability == capability::ENV);
                let hint = missed.map(|denial| format!(" (denied: env: {})", denial.detail)).unwrap_or_default();
                (ToolStatus::Error, format!("{failure}{hint}"))
            }
        };
        Self { status, text, stdout: outcome.stdout, stderr: outcome.stderr, denials: outcome.denials }
    }
}
