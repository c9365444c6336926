//! What a call may use: the policy of its kind, and the environment variables that it sees.

use std::collections::BTreeMap;

use mneme_domain::{
    Actor, AgentId, EntityId,
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
    /// The powers of a call of a tool of that kind.
    ///
    /// # Errors
    /// 503 without a database.
    pub(super) async fn powers(&self, call: &Call<'_>, kind: ToolKind) -> Result<Powers> {
        let policy = {
            let mut conn = self.store.read().await?;
            let tools::Written { policy, ceiling } = tools::policy(&mut conn, call.actor, &call.tool.id).await?;
            Policy::of(kind).with(&policy).within(&ceiling)
        };
        let mut variables = match call.agent {
            Some(agent) => self.variables(call.actor, agent).await?,
            None => BTreeMap::new(),
        };
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

    /// The variables of an agent's tools.
    async fn variables(&self, actor: &Actor, agent: &AgentId) -> Result<BTreeMap<String, String>> {
        let mut conn = self.store.read().await?;
        let variables = agents::variables_of(&mut conn, actor, agent).await?;
        Ok(variables.into_iter().map(|variable| (variable.key, variable.value)).collect())
    }
}
