//! The pages that the server brings: what it is and how to talk to it, and the API's description to read.
//!
//! The pages hold nothing secret and are open; what they show of the API they fetch with the reader's password.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::app::AppState;

/// Nothing from elsewhere, and nobody may frame the pages.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";

/// The routes.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(|| async { page(HTML, include_str!("static/index.html")) }))
        .route("/docs", get(|| async { page(HTML, include_str!("static/docs.html")) }))
        .route("/ui/style.css", get(|| async { page("text/css; charset=utf-8", include_str!("static/style.css")) }))
        .route("/ui/index.js", get(|| async { page("text/javascript", include_str!("static/index.js")) }))
        .route("/ui/docs.js", get(|| async { page("text/javascript", include_str!("static/docs.js")) }))
}

/// Whether a path is one of these pages.
pub fn is_page(path: &str) -> bool {
    path == "/" || path == "/docs" || path.starts_with("/ui/")
}

fn page(kind: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_TYPE, kind);
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-cache");
    response
}
