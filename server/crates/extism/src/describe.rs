//! A plugin that tells its own tools.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::{Plugin, PluginCall, PluginHost, PluginLimits, PluginRequest, PluginResponse, Plugins};

/// It reaches nothing meanwhile.
struct Nothing;

impl PluginHost for Nothing {
    fn request(&self, _: PluginRequest) -> Result<PluginResponse, String> {
        Err("a plugin that describes its tools has no network".into())
    }
}

impl Plugins {
    /// The function of a plugin that tells its tools: a list of objects with `name`, `description` and `parameters`.
    pub const DESCRIBE: &'static str = "describe";

    /// What the plugin says about its tools.
    ///
    /// # Errors
    /// Why there is nothing of use, for the plugin's author.
    pub async fn describe(&self, plugin: &Plugin) -> Result<Value, String> {
        plugin.require(Self::DESCRIBE).map_err(|error| error.to_string())?;
        let limits = PluginLimits {
            memory_bytes: 64 << 20,
            cpu: Duration::from_secs(1),
            wall: Duration::from_secs(10),
            output_bytes: 4 << 20,
            log_bytes: 0,
        };
        let (function, input) = (Self::DESCRIBE.to_owned(), String::new());
        let call = PluginCall { function, input, config: Vec::new(), limits, host: Arc::new(Nothing) };
        let text = self.call(plugin, call).await.result.map_err(|failure| failure.to_string())?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }
}
