//! Why a server could not be used, in words for whoever set it up and without its secrets.

use std::time::Duration;

use rmcp::{
    service::{ClientInitializeError, ServiceError},
    transport::{AuthError, streamable_http_client::StreamableHttpError},
};

use super::settings::{MAX_MESSAGE, MAX_REASON};
use crate::outbound::{OutboundError, was_refused};

/// A server that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct McpFailure {
    /// What went wrong, for programs.
    pub code: &'static str,
    /// What went wrong, for people.
    pub message: String,
    /// The server's name.
    pub server_name: String,
    /// HTTP status to answer with.
    pub status: u16,
}

/// What went wrong with a connection or a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The server wants a permission; with its challenge, when it gave one.
    Permission(Option<String>),
    /// The same, of a server that a permission was given for: it holds no more.
    Lapsed(Option<String>),
    /// It did not answer in time.
    Timeout(&'static str, Duration),
    /// It is not there, or went away. `unsent` when the request certainly did not reach it.
    Gone { reason: String, unsent: bool },
    /// It said no, or nothing that makes sense.
    Wrong(String),
    /// It may not be asked at all.
    Forbidden(String),
}

impl Trouble {
    /// Whether the connection is of no use any more.
    pub fn breaks(&self) -> bool {
        !matches!(self, Self::Wrong(_) | Self::Forbidden(_) | Self::Timeout("call", _))
    }

    /// Whether the request may be sent again over another connection.
    pub fn may_repeat(&self) -> bool {
        matches!(self, Self::Gone { unsent: true, .. })
    }

    /// In words.
    pub fn text(&self) -> String {
        match self {
            Self::Permission(_) => "the server wants an authorization that it was not given (or a valid token)".into(),
            Self::Lapsed(_) => {
                "the authorization that was given for the server is not valid any more and cannot be renewed; \
                 connect the server again to give it anew"
                    .into()
            }
            Self::Timeout(phase, limit) => {
                format!("the server did not answer within {} ({phase})", seconds(*limit))
            }
            Self::Gone { reason, .. } | Self::Wrong(reason) | Self::Forbidden(reason) => reason.clone(),
        }
    }

    /// For whoever asked about a server of this name.
    pub fn failure(&self, server_name: &str) -> McpFailure {
        let (code, status) = match self {
            Self::Permission(_) | Self::Lapsed(_) => ("MCPAuthorizationError", 400),
            Self::Timeout(..) => ("MCPTimeoutError", 408),
            Self::Gone { .. } => ("MCPServerConnectionError", 400),
            Self::Wrong(_) => ("MCPServerError", 400),
            Self::Forbidden(_) => ("MCPForbiddenError", 403),
        };
        let message = format!("MCP server {server_name}: {}", self.text());
        McpFailure { code, message, server_name: server_name.to_owned(), status }
    }

    /// What it means for a server that a permission was given for.
    pub fn after_permission(self) -> Self {
        match self {
            Self::Permission(challenge) => Self::Lapsed(challenge),
            other => other,
        }
    }

    /// With what `secrets` holds taken out of the words.
    pub fn scrubbed(self, secrets: &[String]) -> Self {
        match self {
            Self::Gone { reason, unsent } => Self::Gone { reason: scrub(&reason, secrets), unsent },
            Self::Wrong(reason) => Self::Wrong(scrub(&reason, secrets)),
            Self::Forbidden(reason) => Self::Forbidden(scrub(&reason, secrets)),
            other => other,
        }
    }
}

fn seconds(limit: Duration) -> String {
    if limit.subsec_millis() == 0 { format!("{} s", limit.as_secs()) } else { format!("{} ms", limit.as_millis()) }
}

/// A text without secrets, without control characters, and not too long.
pub fn scrub(text: &str, secrets: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        // What is short is no secret, and would tear words apart.
        if secret.len() >= 6 {
            text = text.replace(secret.as_str(), "[redacted]");
        }
    }
    let text: String = text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { ' ' } else { c }).collect();
    match text.char_indices().nth(MAX_REASON) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

impl From<OutboundError> for Trouble {
    fn from(error: OutboundError) -> Self {
        match error {
            OutboundError::Refused => Self::Forbidden(refused()),
            other => Self::Forbidden(other.to_string()),
        }
    }
}

fn refused() -> String {
    "its address is not public and may not be asked; the operator can list it in tool_private_hosts".into()
}

impl From<ClientInitializeError> for Trouble {
    fn from(error: ClientInitializeError) -> Self {
        if error.is_authorization_required() {
            return Self::Permission(error.auth_challenge().map(str::to_owned));
        }
        match &error {
            ClientInitializeError::TransportError { error, .. } => judge(error.error.as_ref()),
            ClientInitializeError::JsonRpcError(data) => {
                Self::Wrong(format!("it refused the handshake: {}", data.message))
            }
            ClientInitializeError::ConnectionClosed(_) => {
                Self::Gone { reason: "it closed the connection during the handshake".into(), unsent: true }
            }
            ClientInitializeError::LegacyFallbackFailed { .. }
            | ClientInitializeError::NoCompatibleProtocolVersion { .. } => {
                Self::Wrong("it speaks no version of the protocol that this server does".into())
            }
            _ => Self::Wrong("what it answered to the handshake makes no sense".into()),
        }
    }
}

impl From<ServiceError> for Trouble {
    fn from(error: ServiceError) -> Self {
        if error.is_authorization_required() {
            return Self::Permission(error.auth_challenge().map(str::to_owned));
        }
        match &error {
            ServiceError::McpError(data) => Self::Wrong(format!("{} (code {})", data.message, data.code.0)),
            ServiceError::TransportSend(error) => judge(error.error.as_ref()),
            ServiceError::TransportClosed | ServiceError::Cancelled { .. } => {
                Self::Gone { reason: "the connection to it broke off".into(), unsent: false }
            }
            ServiceError::InputRequiredRoundsExceeded { .. } => {
                Self::Wrong("it wants an input that this server cannot give".into())
            }
            _ => Self::Wrong("what it answered makes no sense".into()),
        }
    }
}

/// What a transport's error means.
fn judge(error: &(dyn std::error::Error + 'static)) -> Trouble {
    if was_refused(error) {
        return Trouble::Forbidden(refused());
    }
    let mut source = Some(error);
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
            return judge_http(error);
        }
        if let Some(trouble) = inner.downcast_ref::<Carried>() {
            return trouble.0.clone();
        }
        source = inner.source();
    }
    // A pipe of a process, or a channel inside: whatever was said did not get there.
    Trouble::Gone { reason: "the connection to it broke off".into(), unsent: true }
}

fn judge_http(error: &StreamableHttpError<reqwest::Error>) -> Trouble {
    match error {
        StreamableHttpError::AuthRequired(challenge) => {
            Trouble::Permission(Some(challenge.www_authenticate_header.clone()))
        }
        StreamableHttpError::Auth(AuthError::AuthorizationRequired) => Trouble::Permission(None),
        StreamableHttpError::Client(error) => request(error),
        StreamableHttpError::SessionExpired => Trouble::Gone { reason: "it forgot the session".into(), unsent: true },
        StreamableHttpError::HttpStatus(error) => {
            Trouble::Gone { reason: format!("it answered with {error}"), unsent: false }
        }
        StreamableHttpError::ResponseBodyTooLarge { .. } => Trouble::Wrong(too_large()),
        StreamableHttpError::UnexpectedServerResponse(text) => {
            let status = |code: &str| text.contains(code);
            if status("401") || status("403") {
                return Trouble::Permission(None);
            }
            Trouble::Gone { reason: format!("its answer makes no sense: {text}"), unsent: status("HTTP 400") }
        }
        StreamableHttpError::UnexpectedContentType(kind) => {
            let kind = kind.as_deref().unwrap_or("nothing");
            Trouble::Wrong(format!("it answered with {kind}, which is neither JSON nor a stream of events"))
        }
        StreamableHttpError::TransportChannelClosed | StreamableHttpError::UnexpectedEndOfStream => {
            Trouble::Gone { reason: "the connection to it broke off".into(), unsent: false }
        }
        StreamableHttpError::InsufficientScope(challenge) => {
            Trouble::Permission(Some(challenge.www_authenticate_header.clone()))
        }
        StreamableHttpError::SessionRecoveryTimeout => {
            Trouble::Gone { reason: "it forgot the session and gave no new one in time".into(), unsent: false }
        }
        other => Trouble::Gone { reason: format!("its answer makes no sense: {other}"), unsent: false },
    }
}

/// What a failed HTTP request means. Addresses are left out: they may hold keys.
pub fn request(error: &reqwest::Error) -> Trouble {
    if was_refused(error) {
        return Trouble::Forbidden(refused());
    }
    if let Some(status) = error.status() {
        return match status.as_u16() {
            401 | 403 => Trouble::Permission(None),
            status => Trouble::Gone { reason: format!("it answered with status {status}"), unsent: status < 500 },
        };
    }
    if error.is_connect() {
        return Trouble::Gone { reason: "nobody answers at its address".into(), unsent: true };
    }
    Trouble::Gone { reason: "the connection to it broke off".into(), unsent: false }
}

/// A message that is larger than any may be.
pub fn too_large() -> String {
    format!("it sent a message of more than {} MiB", MAX_MESSAGE >> 20)
}

/// A trouble as the error of a transport.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.text())]
pub struct Carried(pub Trouble);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_control_characters_do_not_get_into_words() {
        let secrets = ["Bearer tok-1234567".to_owned(), "abc".to_owned()];
        let text = scrub("no \x1b[31mBearer tok-1234567\u{7} abc", &secrets);
        assert_eq!(text, "no  [31m[redacted]  abc");
        assert!(scrub(&"x".repeat(10_000), &[]).chars().count() <= MAX_REASON + 1);
    }
}
