//! What can go wrong in the core, by what the caller can do about it. The HTTP layer turns each into a status and body.

use mneme_llm::LlmError;
use mneme_store::StoreError;
use serde_json::Value;

use crate::mcp::McpFailure;

/// The result of a core operation.
pub type Result<T, E = CoreError> = std::result::Result<T, E>;

/// What is said of a model that its provider does not offer.
pub(crate) const NO_SUCH_MODEL: &str = "The model provider does not have this model, or has it no longer.";

/// A failed core operation. All texts but [`CoreError::Internal`]'s are fit for a client.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CoreError {
    /// There is no such thing, or it is another tenant's (404).
    #[error("{0}")]
    NotFound(String),
    /// The request makes no sense (400).
    #[error("{0}")]
    Invalid(String),
    /// What was sent is of a kind that the server does not take (415).
    #[error("{0}")]
    Unsupported(String),
    /// A field of the body is wrong (422).
    #[error("{}: {msg}", loc.join("."))]
    Unprocessable {
        /// Where in the request: `body`, then field names and indices.
        loc: Vec<String>,
        /// The kind of error, in the validator's words: `value_error`, `missing`, …
        kind: String,
        /// What is wrong.
        msg: String,
    },
    /// The caller may not do this (403).
    #[error("{0}")]
    Forbidden(String),
    /// Somebody else was faster, or the name is taken (409).
    #[error("{0}")]
    Conflict(String),
    /// The same with a structured detail (409).
    #[error("{0}")]
    ConflictDetail(Value),
    /// The model provider failed.
    #[error("{}: {}", .0.message.trim_end_matches('.'), .0.detail)]
    Llm(LlmFailure),
    /// An MCP server could not be used (400, 403, 408).
    #[error("{0}")]
    Mcp(McpFailure),
    /// The server cannot do this now (503).
    #[error("{0}")]
    Unavailable(String),
    /// A defect of ours (500); the text is for the log only.
    #[error("internal error: {0}")]
    Internal(String),
}

/// A provider's failure as the API reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlmFailure {
    /// HTTP status to answer with.
    pub status: u16,
    /// `llm_rate_limit`, `llm_authentication`, `llm_timeout`, `llm_error`.
    pub kind: &'static str,
    /// What happened, in general words.
    pub message: &'static str,
    /// What the provider said.
    pub detail: String,
    /// How long the provider asks to wait, in whole seconds.
    pub retry_after: Option<u64>,
}

impl CoreError {
    /// A field of the body with a value that is not allowed.
    pub fn field(name: &str, msg: impl Into<String>) -> Self {
        Self::Unprocessable { loc: vec!["body".into(), name.into()], kind: "value_error".into(), msg: msg.into() }
    }

    /// A thing that is not there.
    pub fn missing(kind: &str, id: impl std::fmt::Display) -> Self {
        Self::NotFound(format!("{kind} with ID {id} not found"))
    }
}

impl From<StoreError> for CoreError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(rule) if rule.starts_with("agent_blocks") => {
                Self::Conflict("Two of the agent's blocks have the same label".into())
            }
            StoreError::Conflict(text) => Self::Conflict(text),
            StoreError::Stale => {
                Self::Conflict("The object was changed by another request; read it again and retry".into())
            }
            StoreError::Unavailable(text) => {
                tracing::warn!(error = %text, "the database is unavailable");
                Self::Unavailable("The database is not available right now; try again".into())
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<LlmError> for CoreError {
    fn from(error: LlmError) -> Self {
        let upstream = error.status().map(|status| format!("Error code: {status} - ")).unwrap_or_default();
        let detail = format!("{upstream}{error}");
        let retry_after = error.retry_after().map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        let (status, kind, message) = match &error {
            LlmError::RateLimit { .. } => (429, "llm_rate_limit", "The model provider's rate limit was reached."),
            LlmError::Authentication { .. } => {
                (401, "llm_authentication", "The model provider refused the credentials.")
            }
            LlmError::Timeout { .. } => (504, "llm_timeout", "The model provider did not answer in time."),
            LlmError::NotFound { model, .. } if !model.is_empty() => (502, "llm_error", NO_SUCH_MODEL),
            LlmError::ContentPolicy { .. } => (502, "llm_error", "The model provider refused the content."),
            LlmError::ContextOverflow { .. } => (502, "llm_error", "The conversation does not fit the model."),
            LlmError::Connection { .. } => (502, "llm_error", "The model provider cannot be reached."),
            LlmError::Malformed { .. } => (502, "llm_error", "The model provider's answer makes no sense."),
            LlmError::Overloaded { .. } => (502, "llm_error", "The model provider is overloaded."),
            _ => (502, "llm_error", "The request to the model provider failed."),
        };
        Self::Llm(LlmFailure { status, kind, message, detail, retry_after })
    }
}
