//! What a call may use: its tool's policy, and the environment variables that it sees.

use std::collections::BTreeMap;

use mneme_domain::{
    EntityId,
    policy::{Denial, EnvPolicy, Policy, capability},
    tool::ToolType,
};
use mneme_sandbox::{Grants, Limits};
use mneme_store::{agents, tools, variables};

use super::Call;
use crate::{Core, Result};

/// Where a tool finds this server's API. Requests to it do not leave the process.
const API_URL: &str = "http://mneme.internal";

/// How long a tool may wait for the turns of other agents, in milliseconds.
const OTHERS_TURN_MS: u64 = 600_000;

/// Limits, grants and variables of one call.
pub struct Powers {
    pub limits: Limits,
    pub grants: Grants,
    pub env: Vec<(String, String)>,
    /// Names of variables that there are, and that the policy withholds.
    pub withheld: Vec<String>,
    /// Which variables the policy has.
    pub env_policy: EnvPolicy,
}

/// Which variables a call may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// None: they are not read.
    Nothing,
    /// Any.
    Anything,
}

impl Core {
    /// The powers of a call.
    ///
    /// # Errors
    /// 503 without a database.
    pub(super) async fn powers(&self, call: &Call<'_>, asks: Asks) -> Result<Powers> {
        let mut conn = self.store.read().await?;
        let written = tools::policy(&mut conn, call.actor, &call.tool.id).await?;
        let mut usual = Policy::of(crate::tools::kind(call.tool));
        if call.tool.tool_type == ToolType::LettaMultiAgentCore {
            usual.wall_ms = usual.wall_ms.max(OTHERS_TURN_MS);
        }
        let policy = usual.with(&written.policy).within(&written.ceiling);
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        if asks == Asks::Anything {
            // The agent's own go before those of its organisation.
            known.extend(variables::values(&mut conn, call.actor).await?);
            if let Some(agent) = call.agent {
                let own = agents::variables_of(&mut conn, call.actor, agent).await?;
                known.extend(own.into_iter().map(|variable| (variable.key, variable.value)));
            }
        }
        drop(conn);
        known.extend(call.variables.iter().cloned());
        let withheld = known.keys().filter(|name| !policy.env.allows(name)).cloned().collect();
        let mut env: Vec<(String, String)> = policy.env.visible(known);
        if policy.grants(capability::API) {
            let given = |name: &str| env.iter().any(|(key, _)| key == name);
            let mut own = vec![("LETTA_BASE_URL", API_URL), ("LETTA_API_KEY", "the-agent")];
            own.extend(call.agent.map(|agent| ("LETTA_AGENT_ID", EntityId::as_str(agent))));
            own.retain(|(name, _)| !given(name));
            env.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        let (limits, grants) = (Limits::of(&policy), Grants::of(&policy));
        Ok(Powers { limits, grants, env, withheld, env_policy: policy.env })
    }
}

/// The refusals of withheld variables that a tool asks for.
pub fn withheld(names: &[String], asked: impl Fn(&str) -> bool) -> Vec<Denial> {
    let denial = |name: &String| Denial {
        capability: capability::ENV.to_owned(),
        detail: format!("{name}: the tool's policy does not have this variable"),
    };
    names.iter().filter(|name| asked(name)).map(denial).collect()
}

/// Whether a source speaks of a variable.
pub fn mentions(source: &str, name: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    source.match_indices(name).any(|(at, _)| {
        let (before, after) = (source[..at].chars().next_back(), source[at + name.len()..].chars().next());
        !before.is_some_and(inside) && !after.is_some_and(inside)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_the_source_speaks_of_is_missed() {
        let source = "import os\ndef f():\n    return os.environ['API_KEY'] + X_TOKEN_2";
        let names: Vec<String> = ["API_KEY", "API", "TOKEN", "KEY"].map(str::to_owned).to_vec();
        let found = withheld(&names, |name| mentions(source, name));
        let detail = "API_KEY: the tool's policy does not have this variable".to_owned();
        assert_eq!(found, [Denial { capability: "env".into(), detail }]);
    }
}
