//! What can go wrong with a model call, sorted by what a caller can do about it.

pub(crate) mod classify;

use std::{fmt, time::Duration};

/// A failed model call. `Display` is safe to show to a client: the provider's own words, bounded and without the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LlmError {
    /// The provider refused the key, or what the key may do.
    #[error("{message}")]
    Authentication {
        /// The provider's words.
        message: String,
        /// HTTP status of the provider.
        status: Option<u16>,
    },
    /// Too many requests or tokens, or the quota is used up.
    #[error("{message}")]
    RateLimit {
        /// The provider's words.
        message: String,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// The provider is up but has no capacity.
    #[error("{message}")]
    Overloaded {
        /// The provider's words.
        message: String,
        /// HTTP status of the provider.
        status: Option<u16>,
    },
    /// The conversation does not fit the model's context window.
    #[error("{message}")]
    ContextOverflow {
        /// The provider's words.
        message: String,
        /// HTTP status of the provider.
        status: Option<u16>,
    },
    /// The provider finds fault with the request.
    #[error("{message}")]
    BadRequest {
        /// The provider's words.
        message: String,
        /// HTTP status of the provider.
        status: Option<u16>,
    },
    /// The provider refused the content.
    #[error("{message}")]
    ContentPolicy {
        /// The provider's words.
        message: String,
        /// HTTP status of the provider.
        status: Option<u16>,
    },
    /// There is no such model or route.
    #[error("{message}")]
    NotFound {
        /// The provider's words.
        message: String,
        /// The model that was asked for.
        model: String,
        /// HTTP status of the provider.
        status: Option<u16>,
    },
    /// One of the configured time limits passed.
    #[error("the provider did not answer in time ({phase})")]
    Timeout {
        /// Which limit it was.
        phase: Phase,
    },
    /// The connection could not be made or broke.
    #[error("{message}")]
    Connection {
        /// What happened, without the URL.
        message: String,
    },
    /// The provider's answer is not what its API promises: no JSON, cut off, or larger than the limits.
    #[error("{message}")]
    Malformed {
        /// What is wrong with it.
        message: String,
    },
    /// The provider failed.
    #[error("{message}")]
    Server {
        /// The provider's words.
        message: String,
        /// HTTP status of the provider, or its equivalent for an error reported inside a stream.
        status: u16,
    },
}

/// Which time limit passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Connecting, TLS included.
    Connect,
    /// From sending the request to the first byte of the answer.
    FirstByte,
    /// Between two chunks of the answer.
    Idle,
    /// The whole call, retries included.
    Total,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connect",
            Self::FirstByte => "first byte",
            Self::Idle => "idle",
            Self::Total => "total",
        })
    }
}

impl LlmError {
    /// The provider's HTTP status, when it answered with one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Authentication { status, .. }
            | Self::Overloaded { status, .. }
            | Self::ContextOverflow { status, .. }
            | Self::BadRequest { status, .. }
            | Self::ContentPolicy { status, .. }
            | Self::NotFound { status, .. } => *status,
            Self::RateLimit { .. } => Some(429),
            Self::Server { status, .. } => Some(*status),
            Self::Timeout { .. } | Self::Connection { .. } | Self::Malformed { .. } => None,
        }
    }

    /// A stable name of the kind of failure, for logs, metrics and error bodies.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Authentication { .. } => "authentication",
            Self::RateLimit { .. } => "rate_limit",
            Self::Overloaded { .. } => "overloaded",
            Self::ContextOverflow { .. } => "context_overflow",
            Self::BadRequest { .. } => "bad_request",
            Self::ContentPolicy { .. } => "content_policy",
            Self::NotFound { .. } => "not_found",
            Self::Timeout { .. } => "timeout",
            Self::Connection { .. } => "connection",
            Self::Malformed { .. } => "malformed",
            Self::Server { .. } => "server",
        }
    }

    /// How long the provider asks to wait before another try.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimit { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::Malformed { message: message.into() }
    }
}
