//! How a tool and the host say no.

use std::fmt;

/// Why a tool has no answer. The texts are read by the model, so they should say what
/// to do differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolError {
    /// The arguments are missing, mistyped or out of range.
    InvalidArguments(String),
    /// The request was understood and could not be carried out.
    Failed(String),
    /// The host refused something that the tool needs.
    Denied(String),
}

impl ToolError {
    /// A [`ToolError::InvalidArguments`].
    pub fn invalid(reason: impl fmt::Display) -> Self {
        Self::InvalidArguments(reason.to_string())
    }

    /// A [`ToolError::Failed`]; fits `map_err` on any error that can be displayed.
    pub fn failed(reason: impl fmt::Display) -> Self {
        Self::Failed(reason.to_string())
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidArguments(text) | Self::Failed(text) | Self::Denied(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for ToolError {}

impl From<String> for ToolError {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

impl From<&str> for ToolError {
    fn from(reason: &str) -> Self {
        Self::Failed(reason.to_owned())
    }
}

/// Why the host did not do what a tool asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostError {
    /// Nothing has that name.
    NotFound(String),
    /// The thing must not be changed by an agent.
    ReadOnly(String),
    /// A size or count limit would be exceeded.
    LimitExceeded(String),
    /// The capability is missing.
    Denied(String),
    /// The request makes no sense.
    Invalid(String),
    /// The thing changed between the tool's read and its write.
    Conflict(String),
    /// No answer now; the same call may work later.
    Unavailable(String),
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(text)
            | Self::ReadOnly(text)
            | Self::LimitExceeded(text)
            | Self::Denied(text)
            | Self::Invalid(text)
            | Self::Conflict(text)
            | Self::Unavailable(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for HostError {}

impl From<HostError> for ToolError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Denied(text) => Self::Denied(text),
            HostError::Invalid(text) => Self::InvalidArguments(text),
            other => Self::Failed(other.to_string()),
        }
    }
}
