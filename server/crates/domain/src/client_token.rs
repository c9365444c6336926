//! Client-side access tokens: what an end user's program may do with a few agents, for a while.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AgentId, Timestamp};

/// A right to an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Read its messages.
    ReadMessages,
    /// Send it messages, and cancel what it does about them.
    WriteMessages,
    /// Read what it is and what it keeps in view.
    ReadAgent,
    /// Change its name, its descriptions and its prompt.
    WriteAgent,
}

/// What a right is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// An agent.
    Agent,
}

/// Rights to one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Grant {
    /// `agent`.
    #[serde(rename = "type")]
    pub kind: Resource,
    /// The agent.
    #[schema(value_type = String)]
    pub id: AgentId,
    /// The rights.
    pub access: Vec<Access>,
}

/// A token as it is kept: without what its bearer shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientToken {
    /// The part of the token that is no secret.
    pub id: String,
    /// What it allows; nothing else.
    pub policy: Vec<Grant>,
    /// The web site whose pages may use it.
    pub hostname: String,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ClientToken {
    /// Whether the bearer has a right to an agent.
    pub fn grants(&self, agent: &AgentId, access: Access) -> bool {
        self.policy.iter().any(|grant| grant.id == *agent && grant.access.contains(&access))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_token_grants_what_its_policy_names_and_nothing_else() {
        let [one, two, three] = [1, 2, 3].map(|n| AgentId::from_uuid(Uuid::from_u128(n)));
        let grant = |id: &AgentId, access| Grant { kind: Resource::Agent, id: id.clone(), access };
        let token = ClientToken {
            id: "x".into(),
            policy: vec![grant(&one, vec![Access::ReadMessages]), grant(&two, vec![Access::WriteMessages])],
            hostname: "example.com".into(),
            expires_at: Timestamp::default(),
            created_at: Timestamp::default(),
        };
        assert!(token.grants(&one, Access::ReadMessages) && token.grants(&two, Access::WriteMessages));
        assert!(!token.grants(&one, Access::WriteMessages) && !token.grants(&two, Access::ReadMessages));
        assert!(!token.grants(&three, Access::ReadMessages) && !token.grants(&one, Access::ReadAgent));
    }
}
