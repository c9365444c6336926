//! What a plugin can ask of the server.

use std::collections::BTreeMap;

use serde::Deserialize;

/// An HTTP request of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PluginRequest {
    /// Where to.
    pub url: String,
    /// The method; GET when left out.
    #[serde(default)]
    pub method: Option<String>,
    /// Header names and values.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The whole body.
    #[serde(skip)]
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginResponse {
    /// The HTTP status.
    pub status: u16,
    /// Header names in small letters, and values.
    pub headers: BTreeMap<String, String>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Speaks for one call. Its methods are called on a thread where waiting is allowed.
pub trait PluginHost: Send + Sync {
    /// Sends a request if the call may, within what time the call has left.
    ///
    /// # Errors
    /// Why not, in words for the plugin.
    fn request(&self, request: PluginRequest) -> Result<PluginResponse, String>;
}
