//! Where an answer sends a request next.

use super::{Request, Response};
use crate::ToolError;

/// The headers that go along to another origin. Any other may hold a key.
const HARMLESS: &[&str] = &["accept", "accept-language", "accept-encoding", "user-agent"];

/// The request to make instead, if the answer is a redirect that this kind of request follows.
///
/// # Errors
/// When the new address is none, or of another kind than HTTP.
pub fn next(request: &Request, response: &Response) -> Result<Option<Request>, ToolError> {
    let follows = matches!(request.method.as_str(), "GET" | "HEAD");
    let redirects = matches!(response.status, 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.header("location").filter(|_| follows && redirects) else {
        return Ok(None);
    };
    let url = request.url.join(location).map_err(|error| {
        ToolError::failed(format!("{request} was redirected to an address that cannot be followed: {error}"))
    })?;
    let mut next = Request { url, ..request.clone() };
    if next.url.origin() != request.url.origin() {
        next.headers.retain(|(name, _)| HARMLESS.contains(&name.as_str()));
        next.body.clear();
    }
    Ok(Some(next))
}
