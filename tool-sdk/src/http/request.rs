//! A request as it goes out.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::Url;
use crate::ToolError;

const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_BYTES: usize = 10_000_000;
const USER_AGENT: &str = concat!("mneme-tool/", env!("CARGO_PKG_VERSION"));

/// A request: what a tool's code made, and what a test looks at (see `MockHost::requests`).
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub(crate) method: String,
    pub(crate) url: Url,
    /// Names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) timeout: Duration,
    pub(crate) max_bytes: usize,
}

impl Request {
    pub(super) fn new(method: &str, url: Url) -> Self {
        Self {
            method: method.to_owned(),
            url,
            headers: vec![("user-agent".to_owned(), USER_AGENT.to_owned())],
            body: Vec::new(),
            timeout: TIMEOUT,
            max_bytes: MAX_BYTES,
        }
    }

    /// The method, in capitals.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Where it goes.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// All headers, names in small letters.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body; empty when there is none.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body as JSON; null when it is something else.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// How long the exchange may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How much of the answer's body is read, in bytes.
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    pub(super) fn set_header(&mut self, name: &str, value: &str) -> Result<(), ToolError> {
        let name = name.to_ascii_lowercase();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(ToolError::invalid(format!("{name:?} is no name of a header")));
        }
        if value.chars().any(|c| c.is_control() && c != '\t') {
            return Err(ToolError::invalid(format!("the header `{name}` has a value with control characters")));
        }
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.trim().to_owned()));
        Ok(())
    }

    pub(super) fn set_body(&mut self, content_type: &str, bytes: Vec<u8>) -> Result<(), ToolError> {
        self.body = bytes;
        self.set_header("content-type", content_type)
    }
}

/// Method and address, without the query: some services take their keys there.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url.without_query())
    }
}

/// The names of the headers, not their values: some are secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        write!(f, "{self} {names:?} with {} bytes", self.body.len())
    }
}

pub(super) fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
