//! Makes one path of the spellings that clients use: with and without a slash at the end, `/latest` for `/v1`.

use std::task::{Context, Poll};

use axum::{extract::Request, http::Uri};
use tower::Service;

/// Rewrites the path before the router sees it.
#[derive(Debug, Clone)]
pub struct Normalize<S>(pub S);

impl<S, B> Service<Request<B>> for Normalize<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        if let Some(uri) = rewritten(request.uri()) {
            *request.uri_mut() = uri;
        }
        self.0.call(request)
    }
}

/// The URI with its path in the spelling of the router, `None` when it has that already.
fn rewritten(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let trimmed = match path.trim_end_matches('/') {
        "" => "/",
        rest => rest,
    };
    let current = match trimmed.strip_prefix("/latest") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => Some(format!("/v1{rest}")),
        _ => None,
    };
    let wanted = current.as_deref().unwrap_or(trimmed);
    if wanted == path {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{wanted}{query}").parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_become_one() {
        for (given, expected) in [
            ("/v1/agents/", "/v1/agents"),
            ("/v1/agents//", "/v1/agents"),
            ("/latest/agents/?limit=1&after=x", "/v1/agents?limit=1&after=x"),
            ("/latest", "/v1"),
            ("//", "/"),
        ] {
            assert_eq!(rewritten(&given.parse().expect("uri")).map(|uri| uri.to_string()).as_deref(), Some(expected));
        }
        for same in ["/", "/v1/agents", "/latestx/agents", "/v1/agents?path=/a/"] {
            assert_eq!(rewritten(&same.parse().expect("uri")), None, "{same}");
        }
    }
}
