//! Requests over the network: a small blocking client.
//!
//! ```no_run
//! use mneme_tool_sdk::{Http, Secret, ToolError, tool};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Weather {
//!     degrees: f64,
//! }
//!
//! /// Tells the temperature in a city.
//! #[tool]
//! fn temperature(
//!     http: &Http,
//!     #[env("WEATHER_API_KEY")] key: Secret,
//!     #[arg("The city, in English.")] city: String,
//! ) -> Result<String, ToolError> {
//!     let weather: Weather = http
//!         .get("https://weather.example/v1/now")
//!         .bearer(&key)
//!         .query("city", &city)
//!         .send()?
//!         .ok()?
//!         .json()?;
//!     Ok(format!("{} °C", weather.degrees))
//! }
//! # fn main() {}
//! ```
//!
//! A request that the tool's network policy does not have is a [`ToolError::Denied`] with the host's own words; one
//! that fails on the way is a [`ToolError::Failed`]. An answer of any status is an answer: [`Response::ok`] makes an
//! error of those that say no.

mod builder;
mod redirect;
mod request;
mod response;
mod url;

pub use builder::RequestBuilder;
pub use request::Request;
pub use response::Response;
pub use url::Url;

#[cfg(doc)]
use crate::ToolError;
use crate::{Capability, Host};

/// Sends requests to other machines, within the network policy of the tool.
#[derive(Clone, Copy)]
pub struct Http<'h> {
    host: &'h dyn Host,
}

impl<'h> Capability<'h> for Http<'h> {
    const NAMES: &'static [&'static str] = &["network"];
    fn granted(host: &'h dyn Host) -> Self {
        Self { host }
    }
}

impl<'h> Http<'h> {
    /// A GET request.
    pub fn get(&self, url: &str) -> RequestBuilder<'h> {
        self.request("GET", url)
    }

    /// A POST request.
    pub fn post(&self, url: &str) -> RequestBuilder<'h> {
        self.request("POST", url)
    }

    /// A PUT request.
    pub fn put(&self, url: &str) -> RequestBuilder<'h> {
        self.request("PUT", url)
    }

    /// A PATCH request.
    pub fn patch(&self, url: &str) -> RequestBuilder<'h> {
        self.request("PATCH", url)
    }

    /// A DELETE request.
    pub fn delete(&self, url: &str) -> RequestBuilder<'h> {
        self.request("DELETE", url)
    }

    /// A request with any method, in capitals. What is wrong with the URL is said by [`RequestBuilder::send`].
    pub fn request(&self, method: &str, url: &str) -> RequestBuilder<'h> {
        RequestBuilder::new(self.host, method, url)
    }
}
