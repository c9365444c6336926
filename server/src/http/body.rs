//! Reads JSON bodies: bounded in size, depth, values and time, and every refusal says where the fault is.

use std::time::Duration;

use axum::{
    body::Body as RawBody,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    error::ApiError,
    json_shape::{self, Excess},
    problem::{Problem, Step, classify},
};
use crate::app::AppState;

/// A JSON body of a type.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// A JSON body that is a list of things of a type.
#[derive(Debug)]
pub struct ListBody<T>(pub Vec<T>);

/// A JSON body that may be left out.
#[derive(Debug)]
pub struct OptionalBody<T>(pub Option<T>);

/// A JSON body of a request that needs none by its method, as `curl --request GET --data` sends it: it may be left out,
/// and counts whatever it says that it is.
#[derive(Debug)]
pub struct GetBody<T>(pub Option<T>);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, ApiError> {
        match OptionalBody::from_request(request, app).await?.0 {
            Some(value) => Ok(Self(value)),
            None => Err(Problem::new("missing", body_loc(), "Field required").into()),
        }
    }
}

impl<T: DeserializeOwned> FromRequest<AppState> for ListBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, ApiError> {
        let Some(text) = json_text(request, app).await? else {
            return Err(Problem::new("missing", body_loc(), "Field required").into());
        };
        let value = parse_value(&text, app.limits.json_values)?;
        if !value.is_array() {
            return Err(Problem::new("list_type", body_loc(), "Input should be a valid list").input(value).into());
        }
        Ok(Self(typed(&value)?))
    }
}

impl<T: DeserializeOwned> FromRequest<AppState> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, ApiError> {
        match json_text(request, app).await? {
            Some(text) => Ok(Self(Some(parse(&text, app.limits.json_values)?))),
            None => Ok(Self(None)),
        }
    }
}

impl<T: DeserializeOwned> FromRequest<AppState> for GetBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let limits = &app.limits;
        let text = read(&parts.headers, body, limits.body_bytes, limits.body_timeout).await?;
        if text.trim_ascii().is_empty() {
            return Ok(Self(None));
        }
        Ok(Self(Some(parse(&text, limits.json_values)?)))
    }
}

/// The text of a JSON body; nothing for an empty one.
async fn json_text(request: Request, app: &AppState) -> Result<Option<Bytes>, ApiError> {
    let (parts, body) = request.into_parts();
    let limits = &app.limits;
    let text = read(&parts.headers, body, limits.body_bytes, limits.body_timeout).await?;
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    if !is_json(&parts.headers) {
        let shown = String::from_utf8_lossy(&text).into_owned();
        let message = "Input should be a valid dictionary or object to extract fields from";
        return Err(Problem::new("model_attributes_type", body_loc(), message).input(shown.into()).into());
    }
    Ok(Some(text))
}

fn body_loc() -> Vec<Step> {
    vec!["body".into()]
}

/// No content type counts as JSON: a client that leaves it out means nothing else.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(given) = headers.get(header::CONTENT_TYPE) else { return true };
    let essence = given.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Collects a body; `pause` is how long the client may send nothing.
pub async fn read(headers: &HeaderMap, mut body: RawBody, limit: usize, pause: Duration) -> Result<Bytes, ApiError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(ApiError::TooLarge(limit));
    }
    let mut collected = BytesMut::new();
    loop {
        let frame = tokio::time::timeout(pause, body.frame()).await.map_err(|_| ApiError::Slow)?;
        match frame {
            None => return Ok(collected.freeze()),
            Some(Err(error)) => {
                tracing::debug!(%error, "the client broke off its body");
                return Err(ApiError::Slow);
            }
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { continue };
                if collected.len() + data.len() > limit {
                    return Err(ApiError::TooLarge(limit));
                }
                collected.extend_from_slice(&data);
            }
        }
    }
}

/// Parses and checks a JSON text that holds an object.
pub fn parse<T: DeserializeOwned>(text: &[u8], max_values: usize) -> Result<T, Problem> {
    let value = parse_value(text, max_values)?;
    if !value.is_object() {
        // A struct would also be read from a list of its fields.
        let message = "Input should be a valid dictionary or object to extract fields from";
        return Err(Problem::new("model_attributes_type", body_loc(), message).input(value));
    }
    typed(&value)
}

fn typed<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| explain(value, &error))
}

/// Parses and checks a JSON text of any shape.
fn parse_value(text: &[u8], max_values: usize) -> Result<Value, Problem> {
    json_shape::check(text, max_values).map_err(|excess| {
        let message = match excess {
            Excess::Depth => format!("The JSON nests deeper than {} levels", json_shape::MAX_DEPTH),
            Excess::Values => format!("The JSON has more than {max_values} values"),
        };
        Problem::new("json_too_complex", body_loc(), message)
    })?;
    // The last of two equal keys counts, as everywhere in JSON's world; that is why this goes through a value.
    let value: Value = serde_json::from_slice(text).map_err(|error| {
        let mut loc = body_loc();
        loc.push(Step::Index(offset(text, error.line(), error.column())));
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
        let mut problem = Problem::new("json_invalid", loc, "JSON decode error").input(serde_json::json!({}));
        problem.ctx = vec![("error", reason)];
        problem
    })?;
    if let Some(loc) = memchr_nul(text).then(|| find_nul(&value)).flatten() {
        return Err(Problem::value_error(loc, "a string must not hold the character NUL"));
    }
    Ok(value)
}

/// Whether a NUL may be in some string: only the escape can write one.
fn memchr_nul(text: &[u8]) -> bool {
    text.windows(6).any(|six| six == b"\\u0000")
}

/// The way to a string or key that holds a NUL.
fn find_nul(value: &Value) -> Option<Vec<Step>> {
    fn walk(value: &Value, loc: &mut Vec<Step>) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().enumerate().any(|(index, item)| {
                loc.push(Step::Index(index));
                walk(item, loc) || loc.pop().is_none()
            }),
            Value::Object(fields) => fields.iter().any(|(key, field)| {
                loc.push(Step::Field(key.replace('\0', "\\0")));
                key.contains('\0') || walk(field, loc) || loc.pop().is_none()
            }),
            _ => false,
        }
    }
    let mut loc = body_loc();
    walk(value, &mut loc).then_some(loc)
}

/// Bytes before a line and column (both from 1).
fn offset(text: &[u8], line: usize, column: usize) -> usize {
    let before: usize = text.split(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(|line| line.len() + 1).sum();
    (before + column).saturating_sub(1).min(text.len())
}

/// What serde found wrong with a value.
fn explain(value: &Value, error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    use serde_path_to_error::Segment;
    let mut loc = body_loc();
    let mut at = Some(value);
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => {
                loc.push(Step::Index(*index));
                at = at.and_then(|value| value.get(index));
            }
            Segment::Map { key } => {
                loc.push(key.as_str().into());
                at = at.and_then(|value| value.get(key));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let text = error.inner().to_string();
    let input = at.cloned().unwrap_or_default();
    if let Some(name) = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        loc.push(name.into());
        return Problem::new("missing", loc, "Field required").input(input);
    }
    let (kind, message, ctx) = classify(&text);
    let mut problem = Problem::new(kind, loc, message).input(input);
    problem.ctx = ctx;
    problem
}
