//! What both tools need of Exa's API: its address, its key, and the shape of its answers.

use mneme_tool_sdk::http::RequestBuilder;
use mneme_tool_sdk::{Http, Secret};
use serde::Deserialize;

const BASE_URL: &str = "https://api.exa.ai";

/// An account at Exa.
pub struct Exa {
    key: Secret,
    base_url: String,
}

/// A page that Exa found or read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    pub url: Option<String>,
    pub title: Option<String>,
    pub published_date: Option<String>,
    pub author: Option<String>,
    pub text: Option<String>,
    #[serde(default)]
    pub highlights: Vec<String>,
    pub summary: Option<String>,
}

/// The answer of `/search` and of `/contents`.
#[derive(Debug, Deserialize)]
pub struct Pages {
    #[serde(default)]
    pub results: Vec<Page>,
}

impl Exa {
    /// The account of that key; `base_url` stands for the public address when it is given.
    pub fn new(key: Secret, base_url: Option<String>) -> Self {
        Self { key, base_url: base_url.unwrap_or_else(|| BASE_URL.to_owned()) }
    }

    /// A request to one of the API's paths.
    pub fn post<'h>(&self, http: &Http<'h>, path: &str) -> RequestBuilder<'h> {
        let base = self.base_url.trim_end_matches('/');
        http.post(&format!("{base}{path}")).header("x-api-key", self.key.reveal())
    }
}
