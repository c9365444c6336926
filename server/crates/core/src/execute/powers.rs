//! What a call may use: the policy of its kind, and the environment variables that it sees.

use std::collections::BTreeMap;

use mneme_domain::{
    EntityId,
    policy::{Policy, ToolKind, capability},
};
use mneme_sandbox::{Grants, Limits};
use mneme_store::{agents, tools};

use super::Call;
use crate::{Core, Result};

/// Where a tool finds this server's API. Requests to it do not leave the process.
const API_URL: &str = "http://mneme.internal";

/// Limits, grants and variables of one call.
pub struct Powers {
    pub limits: Limits,
    pub grants: Grants,
    pub env: Vec<(String, String)>,
}

impl Powers {
    /// What a kind of tool gets, without variables.
    pub fn of(kind: ToolKind) -> Self {
        let policy = Policy::of(kind);
        Self { limits: Limits::of(&policy), grants: Grants::of(&policy), env: Vec::new() }
    }
}

impl Core {
    /// The powers of a call.
    ///
    /// # Errors
    /// 503 without a database.
    pub(super) async fn powers(&self, call: &Call<'_>) -> Result<Powers> {
        let mut conn = self.store.read().await?;
        let written = tools::policy(&mut conn, call.actor, &call.tool.id).await?;
        let agents_own = match call.agent {
            Some(agent) => agents::variables_of(&mut conn, call.actor, agent).await?,
            None => Vec::new(),
        };
        drop(conn);
        let policy = Policy::of(crate::tools::kind(call.tool)).with(&written.policy).within(&written.ceiling);
        let mut variables: BTreeMap<String, String> =
            agents_own.into_iter().map(|variable| (variable.key, variable.value)).collect();
        variables.extend(call.variables.iter().cloned());
        let mut env: Vec<(String, String)> = policy.env.visible(variables);
        if policy.grants(capability::API) {
            let given = |name: &str| env.iter().any(|(key, _)| key == name);
            let mut own = vec![("LETTA_BASE_URL", API_URL), ("LETTA_API_KEY", "the-agent")];
            own.extend(call.agent.map(|agent| ("LETTA_AGENT_ID", EntityId::as_str(agent))));
            own.retain(|(name, _)| !given(name));
            env.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        Ok(Powers { limits: Limits::of(&policy), grants: Grants::of(&policy), env })
    }
}
