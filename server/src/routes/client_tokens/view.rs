//! What answers about tokens look like.

use chrono::{DateTime, Utc};
use mneme_core::{IssuedToken, TOKEN_PREFIX};
use mneme_domain::client_token::{ClientToken, Grant};
use serde::Serialize;
use utoipa::ToSchema;

/// What a token allows.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenPolicy {
    /// The version of the policy's shape.
    version: String,
    /// The agents and the rights to them.
    data: Vec<Grant>,
}

/// A token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenView {
    policy: TokenPolicy,
    /// Whole in the answer to its creation only; later the part that is no secret.
    token: String,
    hostname: String,
    expires_at: DateTime<Utc>,
}

impl TokenView {
    fn with(token: ClientToken, shown: String) -> Self {
        Self {
            policy: TokenPolicy { version: "1".into(), data: token.policy },
            token: shown,
            hostname: token.hostname,
            expires_at: token.expires_at,
        }
    }

    /// A token that was just made.
    pub fn issued(issued: IssuedToken) -> Self {
        Self::with(issued.token, issued.secret)
    }

    /// A token as lists show it.
    pub fn listed(token: ClientToken) -> Self {
        let shown = format!("{TOKEN_PREFIX}{}", token.id);
        Self::with(token, shown)
    }
}
