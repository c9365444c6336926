//! What a handler answers: JSON, or an error with its status and body.

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mneme_core::CoreError;
use serde_json::{Value, json};

use super::problem::{Problem, Step};

/// A handler's result.
pub type Answer<T> = Result<Json<T>, ApiError>;

/// Clients of the 1.x generation repeat 409, 429 and 5xx answers, also of requests that must not be sent twice,
/// unless told not to.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Why a request is not answered as asked.
#[derive(Debug)]
pub enum ApiError {
    /// No or wrong credentials (401).
    Unauthorized,
    /// A request that this server does not take from there (403).
    Forbidden(&'static str),
    /// A malformed request (422).
    Invalid(Problem),
    /// A body over the limit (413).
    TooLarge(usize),
    /// A body that does not arrive (408).
    Slow,
    /// Too much to do (503).
    Busy,
    /// The core's refusal.
    Core(CoreError),
}

impl From<CoreError> for ApiError {
    fn from(error: CoreError) -> Self {
        Self::Core(error)
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::Invalid(problem)
    }
}

impl ApiError {
    /// The status to answer with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Core(error) => core_status(error),
        }
    }

    /// The body to answer with. Nothing internal is in it.
    pub fn body(&self) -> Value {
        let text = match self {
            Self::Unauthorized => "Unauthorized".to_owned(),
            Self::Forbidden(reason) => (*reason).to_owned(),
            Self::Invalid(problem) => return problem.to_body(),
            Self::TooLarge(limit) => format!("The body is larger than {limit} bytes"),
            Self::Slow => "The body did not arrive in time".to_owned(),
            Self::Busy => "Too many requests are under way; try again".to_owned(),
            Self::Core(error) => return core_body(error),
        };
        json!({ "detail": text })
    }

    /// Writes down what only the operator should read. Called once, where the error leaves the server. A provider's
    /// failure has been logged by the turn that it ended.
    pub fn log(&self) {
        match self {
            Self::Core(CoreError::Internal(text)) => tracing::error!(error = %text, "internal error"),
            Self::Core(CoreError::Unavailable(text)) => tracing::warn!(error = %text, "unavailable"),
            _ => {}
        }
    }
}

fn core_status(error: &CoreError) -> StatusCode {
    match error {
        CoreError::NotFound(_) => StatusCode::NOT_FOUND,
        CoreError::Invalid(_) => StatusCode::BAD_REQUEST,
        CoreError::Unprocessable { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        CoreError::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        CoreError::Forbidden(_) => StatusCode::FORBIDDEN,
        CoreError::Conflict(_) | CoreError::ConflictDetail(_) => StatusCode::CONFLICT,
        CoreError::Llm(failure) => StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_GATEWAY),
        CoreError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        CoreError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn core_body(error: &CoreError) -> Value {
    match error {
        CoreError::Unprocessable { loc, kind, msg } => unprocessable(loc, kind, msg).to_body(),
        CoreError::ConflictDetail(detail) => json!({ "detail": detail }),
        CoreError::Llm(_) => json!({ "error": failure(error) }),
        CoreError::Internal(_) => json!({ "detail": "An internal server error occurred" }),
        CoreError::NotFound(text)
        | CoreError::Invalid(text)
        | CoreError::Unsupported(text)
        | CoreError::Forbidden(text)
        | CoreError::Conflict(text)
        | CoreError::Unavailable(text) => json!({ "detail": text }),
    }
}

fn unprocessable(loc: &[String], kind: &str, msg: &str) -> Problem {
    let step = |name: &String| name.parse().map_or_else(|_| Step::Field(name.clone()), Step::Index);
    let loc = loc.iter().map(step).collect();
    if kind == "value_error" { Problem::value_error(loc, msg) } else { Problem::new(kind, loc, msg) }
}

/// An error as the `error` object that provider failures and streams carry: type, message, detail.
pub fn failure(error: &CoreError) -> Value {
    match error {
        CoreError::Llm(failure) => {
            json!({ "type": failure.kind, "message": failure.message, "detail": failure.detail })
        }
        CoreError::Internal(_) => {
            json!({ "type": "internal_error", "message": "An internal server error occurred.", "detail": null })
        }
        other => {
            let body = core_body(other);
            let detail = body.get("detail").cloned().unwrap_or_default();
            let message = match &detail {
                Value::String(text) => text.clone(),
                Value::Object(fields) => {
                    fields.get("message").and_then(Value::as_str).unwrap_or("The request failed.").to_owned()
                }
                _ => "The request failed.".to_owned(),
            };
            json!({ "type": kind_of(other), "message": message, "detail": detail })
        }
    }
}

fn kind_of(error: &CoreError) -> &'static str {
    match error {
        CoreError::NotFound(_) => "not_found",
        CoreError::Invalid(_) | CoreError::Unsupported(_) | CoreError::Unprocessable { .. } => "invalid_request",
        CoreError::Forbidden(_) => "forbidden",
        CoreError::Conflict(_) | CoreError::ConflictDetail(_) => "conflict",
        CoreError::Unavailable(_) => "unavailable",
        CoreError::Llm(_) => "llm_error",
        CoreError::Internal(_) => "internal_error",
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let status = self.status();
        let mut response = (status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        match self {
            // Nothing was begun, so the client may try again.
            Self::Busy | Self::Core(CoreError::Unavailable(_)) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Self::Core(_) if status.is_server_error() || matches!(status.as_u16(), 408 | 409 | 429) => {
                headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
            }
            Self::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}
