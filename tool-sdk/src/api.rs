//! The server's own API, as the owner of the calling agent.

use crate::http::RequestBuilder;
use crate::{Capability, Host};

/// Where a tool finds the API. Requests to it do not leave the server.
const BASE: &str = "http://mneme.internal";

/// Uses this server's API with the rights of the agent's owner.
#[derive(Clone, Copy)]
pub struct Api<'h> {
    host: &'h dyn Host,
}

impl<'h> Capability<'h> for Api<'h> {
    const NAMES: &'static [&'static str] = &["api"];
    fn granted(host: &'h dyn Host) -> Self {
        Self { host }
    }
}

impl<'h> Api<'h> {
    /// A GET request for a path such as `/v1/agents`.
    pub fn get(&self, path: &str) -> RequestBuilder<'h> {
        self.request("GET", path)
    }

    /// A POST request to a path.
    pub fn post(&self, path: &str) -> RequestBuilder<'h> {
        self.request("POST", path)
    }

    /// A request with any method, in capitals.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder<'h> {
        RequestBuilder::new(self.host, method, &format!("{BASE}{path}"))
    }
}
