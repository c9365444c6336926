//! The answer to a request.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::request::find;
use crate::ToolError;

/// An answer with its whole body, or as much of it as the request wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) truncated: bool,
}

impl Response {
    /// An answer without headers and body: where a test's script starts.
    pub fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self
    }

    /// Sets the body to the JSON text of a value, and the type that says so.
    #[must_use]
    pub fn with_json(self, value: &impl Serialize) -> Self {
        let text = serde_json::to_vec(value).unwrap_or_default();
        self.with_header("content-type", "application/json").with_body(text)
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is one of 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Where the answer came from, after redirects.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// All headers, names in small letters.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body, taken out.
    pub fn into_bytes(self) -> Vec<u8> {
        self.body
    }

    /// The body as text. What is not UTF-8 becomes replacement characters.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether the body was longer than the request wanted.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    /// When it is cut off, no JSON, or JSON of another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ToolError> {
        if self.truncated {
            return Err(ToolError::failed(format!(
                "{} answered with too much: more than {} bytes",
                self.name(),
                self.body.len()
            )));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| ToolError::failed(format!("{} answered with unexpected JSON: {error}", self.name())))
    }

    /// The answer itself when it is a success.
    ///
    /// # Errors
    /// For any other status, with the beginning of what the server said about it.
    pub fn ok(self) -> Result<Self, ToolError> {
        if self.is_success() {
            return Ok(self);
        }
        const SHOWN: usize = 300;
        let said: String = self.text().split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
        let reason = match said.is_empty() {
            true => String::new(),
            false => format!(": {said}"),
        };
        Err(ToolError::failed(format!("{} answered with status {}{reason}", self.name(), self.status)))
    }

    /// Method and address, without the query.
    fn name(&self) -> String {
        let address = self.url.split('?').next().unwrap_or_default();
        format!("{} {address}", self.method)
    }
}
