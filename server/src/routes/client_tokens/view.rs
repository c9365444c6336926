//! What answers about tokens look like.

use chrono::{DateTime, Utc};
use mneme_core::IssuedToken;
use mneme_domain::client_token::Grant;
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
    /// What its bearer shows.
    token: String,
    hostname: String,
    expires_at: DateTime<Utc>,
}

impl From<IssuedToken> for TokenView {
    fn from(issued: IssuedToken) -> Self {
        let IssuedToken { secret, token } = issued;
        Self {
            policy: TokenPolicy { version: "1".into(), data: token.policy },
            token: secret,
            hostname: token.hostname,
            expires_at: token.expires_at,
        }
    }
}
