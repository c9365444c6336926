//! Putting a request together.

use std::time::Duration;

use serde::Serialize;

use super::{Request, Response, Url, redirect};
use crate::{Host, Secret, ToolError};

/// How many redirects are followed unless the tool says otherwise.
const REDIRECTS: u8 = 5;

/// A request in the making. The first thing that goes wrong is kept and returned by [`RequestBuilder::send`].
#[must_use = "a request is sent with `send`"]
pub struct RequestBuilder<'h> {
    host: &'h dyn Host,
    request: Result<Request, ToolError>,
    redirects: u8,
}

impl<'h> RequestBuilder<'h> {
    pub(crate) fn new(host: &'h dyn Host, method: &str, url: &str) -> Self {
        let request = Url::parse(url).map(|url| Request::new(method, url));
        Self { host, request, redirects: REDIRECTS }
    }

    fn change(mut self, change: impl FnOnce(&mut Request) -> Result<(), ToolError>) -> Self {
        if let Ok(request) = &mut self.request
            && let Err(error) = change(request)
        {
            self.request = Err(error);
        }
        self
    }

    /// Adds a header, or replaces the one of that name.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.change(|request| request.set_header(name, value))
    }

    /// Adds `Authorization: Bearer …`.
    pub fn bearer(self, token: &Secret) -> Self {
        self.header("authorization", &format!("Bearer {}", token.reveal()))
    }

    /// Adds a parameter to the URL's query; name and value are escaped.
    pub fn query(self, name: &str, value: &str) -> Self {
        self.change(|request| {
            request.url.add_query(name, value);
            Ok(())
        })
    }

    /// Sets the body to the JSON text of a value.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        self.change(|request| {
            let text = serde_json::to_vec(value).map_err(ToolError::failed)?;
            request.set_body("application/json", text)
        })
    }

    /// Sets the body to the fields of a form.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        self.change(|request| {
            let text = fields.iter().map(|(name, value)| super::url::pair(name, value)).collect::<Vec<_>>().join("&");
            request.set_body("application/x-www-form-urlencoded", text.into_bytes())
        })
    }

    /// Sets the body and its type.
    pub fn body(self, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.change(|request| request.set_body(content_type, bytes.into()))
    }

    /// How long the whole exchange may take; 30 seconds unless set. The call's own time limit comes on top.
    pub fn timeout(self, limit: Duration) -> Self {
        self.change(|request| {
            request.timeout = limit;
            Ok(())
        })
    }

    /// How much of the answer's body is read, in bytes; 10 MB unless set. The rest is dropped, and
    /// [`Response::is_truncated`] tells.
    pub fn max_bytes(self, limit: usize) -> Self {
        self.change(|request| {
            request.max_bytes = limit;
            Ok(())
        })
    }

    /// How many redirects are followed, 5 unless set. Only GET and HEAD follow any; to another origin they go without
    /// the tool's own headers, so no key reaches a stranger.
    pub fn redirects(mut self, limit: u8) -> Self {
        self.redirects = limit;
        self
    }

    /// Sends the request and reads the answer.
    ///
    /// # Errors
    /// [`ToolError::Denied`] when the tool may not send it, [`ToolError::InvalidArguments`] for a bad URL or header,
    /// [`ToolError::Failed`] when there is no answer. A status is no error, see [`Response::ok`].
    pub fn send(self) -> Result<Response, ToolError> {
        let mut request = self.request?;
        let mut followed = 0;
        loop {
            let mut response = exchange(self.host, &request)?;
            response.url = request.url.to_string();
            response.method.clone_from(&request.method);
            let Some(next) = redirect::next(&request, &response)? else {
                return Ok(response);
            };
            if followed == self.redirects {
                return match self.redirects {
                    0 => Ok(response),
                    most => Err(ToolError::failed(format!("{request} was redirected more than {most} times"))),
                };
            }
            followed += 1;
            request = next;
        }
    }
}

/// In a component the import is called here and not through [`Host`]: a method in a vtable would make every
/// component import `wasi:http`, whether one of its tools uses the network or not.
#[cfg(target_family = "wasm")]
fn exchange(_: &dyn Host, request: &Request) -> Result<Response, ToolError> {
    crate::guest::http::exchange(request)
}

#[cfg(not(target_family = "wasm"))]
fn exchange(host: &dyn Host, request: &Request) -> Result<Response, ToolError> {
    host.exchange(request)
}
