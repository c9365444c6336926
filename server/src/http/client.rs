//! Which generation of client asks: the 1.x libraries expect other answers in a few places.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use mneme_domain::agent::AgentType;

/// A generation of client libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// 0.x, and everything that is no client library.
    Classic,
    /// 1.x.
    Current,
}

impl Client {
    /// Reads the headers that the libraries send.
    pub fn of(headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if headers.contains_key("x-stainless-package-version") || agent.starts_with("letta-client/1.") {
            Self::Current
        } else {
            Self::Classic
        }
    }

    /// Whether one of the client libraries asks, of either generation.
    pub fn is_library(headers: &HeaderMap) -> bool {
        Self::of(headers) == Self::Current || headers.contains_key("x-fern-sdk-name")
    }

    /// Whether the 0.x library for TypeScript asks, which checks the shape of what it gets.
    pub fn is_strict(headers: &HeaderMap) -> bool {
        headers.get("x-fern-language").is_some_and(|language| language == "JavaScript")
    }

    /// The kind of agent that is made when the client names none.
    pub fn default_agent_type(self) -> AgentType {
        match self {
            Self::Classic => AgentType::MemgptV2Agent,
            Self::Current => AgentType::LettaV1Agent,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}
