//! Gives every request an id, a span and a line in the log; a panic in a handler becomes a 500.

use std::{any::Any, time::Instant};

use axum::{
    Json,
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::{Instrument, field::Empty};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Wraps a request in its span. The id is the client's own when that is short and plain, so that it can be found in
/// the logs of both sides.
pub async fn trace(request: Request, next: Next) -> Response {
    let id = given_id(request.headers()).unwrap_or_else(fresh_id);
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let span = tracing::info_span!("http.request", %id, %method, route, status = Empty);
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.record("status", status);
    let elapsed_ms = started.elapsed().as_secs_f64() * 1000.0;
    span.in_scope(|| tracing::debug!(status, elapsed_ms, "answered"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

#[expect(clippy::disallowed_methods, reason = "a name for the log, which a client may choose itself")]
fn fresh_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (!id.is_empty() && id.len() <= 64 && id.bytes().all(plain)).then(|| id.to_owned())
}

/// The answer in place of a handler that panicked.
pub fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("of an unknown kind"), "a handler panicked");
    let body = serde_json::json!({ "detail": "An internal server error occurred" });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}
