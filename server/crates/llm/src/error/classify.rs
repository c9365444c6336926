//! From a provider's error body, in any of the shapes that are about, to a [`LlmError`].

use std::time::Duration;

use serde_json::Value;

use super::LlmError;
use crate::{json::text, redact::Redactor};

/// An error as the provider worded it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Upstream {
    pub status: u16,
    pub message: String,
    /// `code`, `type` and `status` fields of the error, lower case, separated by spaces.
    pub codes: String,
    /// The parameter at fault.
    pub param: Option<String>,
    pub retry_after: Option<Duration>,
}

impl Upstream {
    /// Reads an error body; `status` is the HTTP status it came with.
    pub fn from_body(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::from_value(Some(status), &value),
            Err(_) => Self { status, message: plain(&String::from_utf8_lossy(body)), ..Self::default() },
        }
    }

    /// Reads an error object; without a status one is derived from the error's own codes.
    pub fn from_value(status: Option<u16>, value: &Value) -> Self {
        let value = value.as_array().and_then(|list| list.first()).unwrap_or(value);
        let error = match value.get("error") {
            Some(inner @ (Value::Object(_) | Value::String(_))) => inner,
            _ => value,
        };
        let mut codes = String::new();
        for key in ["code", "type", "status", "__type"] {
            if let Some(code) = error.get(key).and_then(Value::as_str) {
                codes.push_str(&code.to_lowercase());
                codes.push(' ');
            }
        }
        // Google puts the machine-readable reason into the details.
        for detail in error.get("details").and_then(Value::as_array).into_iter().flatten() {
            if let Some(reason) = detail.get("reason").and_then(Value::as_str) {
                codes.push_str(&reason.to_lowercase());
                codes.push(' ');
            }
        }
        let number = error.get("code").and_then(Value::as_u64).filter(|n| (400..600).contains(n));
        let status = status.or(number.map(|n| n as u16)).unwrap_or_else(|| status_of(&codes));
        let param = error.get("param").and_then(Value::as_str).map(str::to_owned);
        Self { status, message: message_of(error), codes, param, retry_after: retry_info(error) }
    }

    /// Sorts the error; `model` is the one that was asked for.
    pub fn into_error(self, model: &str, redactor: &Redactor) -> LlmError {
        let status = Some(self.status);
        let lower = self.message.to_lowercase();
        let message = if self.message.is_empty() {
            format!("the provider answered with status {}", self.status)
        } else {
            redactor.clean(&self.message)
        };
        let has_code = |names: &[&str]| names.iter().any(|name| self.codes.contains(name));
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
        match self.status {
            429 => LlmError::RateLimit { message, retry_after: self.retry_after },
            401 | 403 => LlmError::Authentication { message, status },
            400 if has_code(&["api_key_invalid"]) || says(&["api key not valid"]) => {
                LlmError::Authentication { message, status }
            }
            _ if has_code(OVERFLOW_CODES) || says(OVERFLOW_PHRASES) => LlmError::ContextOverflow { message, status },
            413 => LlmError::ContextOverflow { message, status },
            _ if has_code(POLICY_CODES) || says(POLICY_PHRASES) => LlmError::ContentPolicy { message, status },
            404 => LlmError::NotFound { message, model: model.to_owned(), status },
            400..=499 if has_code(&["model_not_found"]) => {
                LlmError::NotFound { message, model: model.to_owned(), status }
            }
            503 | 529 => LlmError::Overloaded { message, status },
            _ if has_code(&["overloaded"]) => LlmError::Overloaded { message, status },
            400..=499 => LlmError::BadRequest { message, status },
            other => LlmError::Server { message, status: other },
        }
    }
}

const OVERFLOW_CODES: &[&str] = &["context_length_exceeded", "exceed_context_size", "request_too_large"];
const OVERFLOW_PHRASES: &[&str] = &[
    "maximum context length",
    "context length exceeded",
    "context_length_exceeded",
    "exceeds the context",
    "exceed the context",
    "exceeds context",
    "context window",
    "available context size",
    "context the overflows",
    "prompt is too long",
    "input is too long",
    "input token count",
    "too many input tokens",
    "longer than the maximum model length",
    // Claude, when the answer it may give no longer fits beside the prompt.
    "exceed context limit",
    "maximum prompt length",
    "max context length",
    "model's context length",
    "greater than the context length",
    "exceeded model token limit",
    "prompt token count",
    "prompt exceeds max length",
    // Text Generation Inference.
    "`inputs` tokens + `max_new_tokens`",
    "`inputs` must have less than",
    "reduce the length of the messages",
];
const POLICY_CODES: &[&str] =
    &["content_filter", "content_policy_violation", "moderation_blocked", "invalid_prompt", "prohibited_content"];
const POLICY_PHRASES: &[&str] = &["content management policy", "content policy", "usage policies", "safety system"];

/// The HTTP status that stands for an error which a stream reports with words only.
fn status_of(codes: &str) -> u16 {
    const TABLE: &[(&str, u16)] = &[
        ("rate_limit", 429),
        ("insufficient_quota", 429),
        ("throttl", 429),
        ("servicequotaexceeded", 429),
        ("accessdenied", 403),
        ("unrecognizedclient", 401),
        ("validation", 400),
        ("resource_exhausted", 429),
        ("overloaded", 529),
        ("unavailable", 503),
        ("authentication", 401),
        ("invalid_api_key", 401),
        ("unauthenticated", 401),
        ("permission", 403),
        ("not_found", 404),
        ("too_large", 413),
        ("context_length_exceeded", 400),
        ("invalid", 400),
        ("badrequest", 400),
        ("content_filter", 400),
        ("timeout", 504),
        ("modelnotready", 503),
    ];
    TABLE.iter().find(|(word, _)| codes.contains(word)).map_or(500, |(_, status)| *status)
}

fn message_of(error: &Value) -> String {
    let found = match error {
        Value::String(message) => Some(message.clone()),
        _ => ["message", "msg", "detail", "error"].iter().find_map(|key| match error.get(key)? {
            // FastAPI servers list what failed to validate.
            Value::Array(items) => {
                let parts: Vec<_> = items.iter().filter_map(|item| text(item.get("msg")?)).collect();
                (!parts.is_empty()).then(|| parts.join("; "))
            }
            value => text(value),
        }),
    };
    let message = found.unwrap_or_default();
    // OpenRouter says "Provider returned error" and hides the reason one level down.
    match error.pointer("/metadata/raw").and_then(Value::as_str) {
        Some(raw) if !raw.is_empty() => format!("{message}: {raw}"),
        _ => message,
    }
}

/// Google's `RetryInfo` detail, `"retryDelay": "34s"`.
fn retry_info(error: &Value) -> Option<Duration> {
    let details = error.get("details")?.as_array()?;
    let delay = details.iter().find_map(|detail| detail.get("retryDelay")?.as_str())?;
    let seconds: f64 = delay.trim_end_matches('s').parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The words of an error page: no markup, one line.
fn plain(body: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in body.chars().take(20_000) {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
