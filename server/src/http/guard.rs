//! Keeps web pages of strangers away from a server without a password: DNS rebinding and cross-site requests.
//!
//! With a password a browser has nothing to give away by itself, so then nothing is checked here.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{cors, error::ApiError};
use crate::app::AppState;

/// Refuses requests under a host name that is not ours, and changes that a foreign page asks for.
pub async fn protect(State(app): State<AppState>, request: Request, next: Next) -> Response {
    if app.gate.is_closed() {
        return next.run(request).await;
    }
    if !host_allowed(request.uri(), request.headers(), &app.origins.hosts) {
        let reason = "This host name is not allowed. Use localhost, or list the name in allowed_hosts.";
        return ApiError::Forbidden(reason).into_response();
    }
    let harmless = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !harmless && !origin_allowed(request.headers(), &app.origins) {
        let reason = "Web pages of this origin may not change anything. List the origin in cors_origins.";
        return ApiError::Forbidden(reason).into_response();
    }
    next.run(request).await
}

/// Every name that the request gives for the server must be one of ours.
fn host_allowed(uri: &Uri, headers: &HeaderMap, hosts: &[String]) -> bool {
    let ours = |name: &str| cors::is_local(name) || hosts.iter().any(|host| host.eq_ignore_ascii_case(name));
    let mut given = headers.get_all(header::HOST).iter();
    let named = match (given.next(), given.next()) {
        (Some(host), None) => host.to_str().is_ok_and(|host| ours(without_port(host))),
        // HTTP/1.1 demands the header; a request in absolute form may do without.
        (None, _) => uri.host().is_some(),
        (Some(_), Some(_)) => false,
    };
    named && uri.host().is_none_or(ours)
}

fn origin_allowed(headers: &HeaderMap, origins: &cors::Origins) -> bool {
    let cross_site = headers.get("sec-fetch-site").is_some_and(|site| site.as_bytes() == b"cross-site");
    match headers.get(header::ORIGIN) {
        Some(origin) => origin.to_str().is_ok_and(|origin| origins.allow(origin)),
        None => !cross_site,
    }
}

/// The host without `:port`; brackets of an IPv6 address stay.
fn without_port(host: &str) -> &str {
    match host.rfind(':') {
        Some(colon) if !host[colon..].contains(']') => &host[..colon],
        _ => host,
    }
}
