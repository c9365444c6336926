//! Which web pages may talk to the server from a browser.

use axum::http::{HeaderName, HeaderValue};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

use crate::config::Config;

/// The origins and host names that are let in besides the local ones.
#[derive(Debug, Clone)]
pub struct Origins {
    listed: Vec<String>,
    any: bool,
    /// Host names under which the server may be asked.
    pub hosts: Vec<String>,
}

impl Origins {
    /// As configured. The host of a listed origin is no host of ours: pages live there, not this server.
    pub fn new(config: &Config) -> Self {
        let listed = config.cors_origins.iter().map(|origin| origin.trim_end_matches('/').to_owned()).collect();
        Self {
            listed,
            any: config.cors_origins.iter().any(|origin| origin == "*"),
            hosts: config.allowed_hosts.clone(),
        }
    }

    /// Whether pages of an origin may read answers and change things.
    pub fn allow(&self, origin: &str) -> bool {
        self.any || self.listed.iter().any(|listed| listed == origin) || is_local_origin(origin)
    }
}

fn is_local_origin(origin: &str) -> bool {
    url::Url::parse(origin).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(is_local)
            && url.origin().ascii_serialization() == origin
    })
}

/// Whether a host name means this machine, whatever the name servers say.
pub fn is_local(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Answers preflight requests and marks answers that a page may read.
pub fn layer(origins: Origins) -> CorsLayer {
    let allowed = move |origin: &HeaderValue, _: &_| origin.to_str().is_ok_and(|origin| origins.allow(origin));
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(allowed))
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([HeaderName::from_static("x-request-id")])
        .max_age(std::time::Duration::from_secs(600))
}
