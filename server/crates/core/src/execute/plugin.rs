//! Tools in Extism plugins.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use mneme_domain::{Actor, Role, message::ToolStatus};
use mneme_extism::{
    Plugin, PluginCall, PluginError, PluginHost, PluginLimits, PluginOutcome, PluginRequest, PluginResponse, Plugins,
};
use mneme_sandbox::{Courier, Limits, ToolSpec};
use serde_json::Value;
use tokio::runtime::Handle;

use super::{
    Answer, Call,
    powers::{Asks, Powers},
    program,
};
use crate::{Core, CoreError, Result, tools::Upload};

/// Plugins whose bytes stay in memory.
pub const READY: u64 = 8;

/// The way out for a plugin under way: that of every guest, under the policy of the call.
pub struct PluginNetwork {
    courier: Arc<Courier>,
    runtime: Handle,
}

impl PluginNetwork {
    /// A way out through a courier. Called within the runtime that is to wait for the answers.
    pub fn new(courier: Arc<Courier>) -> Self {
        Self { courier, runtime: Handle::current() }
    }
}

impl PluginHost for PluginNetwork {
    fn request(&self, request: PluginRequest) -> std::result::Result<PluginResponse, String> {
        let invalid = |error: &dyn std::fmt::Display| format!("the request is not valid: {error}");
        let mut builder = Request::builder().method(request.method.as_deref().unwrap_or("GET")).uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Bytes::from(request.body)).map_err(|error| invalid(&error))?;
        let answer = self.runtime.block_on(self.courier.send(request))?;
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text(value)));
        let headers: BTreeMap<String, String> = headers.collect();
        Ok(PluginResponse { status: answer.status().as_u16(), headers, body: answer.body().to_vec() })
    }
}

/// The limits of a call, as plugins have them.
pub fn plugin_limits(limits: &Limits) -> PluginLimits {
    PluginLimits {
        memory_bytes: limits.memory_bytes as u64,
        cpu: limits.cpu,
        wall: limits.wall,
        output_bytes: limits.output_bytes,
        log_bytes: limits.log_bytes,
    }
}

fn refusal(error: &PluginError) -> CoreError {
    CoreError::field("file", error.to_string())
}

async fn checked(code: Vec<u8>) -> Result<std::result::Result<Plugin, PluginError>> {
    let checked = tokio::task::spawn_blocking(move || Plugin::check(&code)).await;
    checked.map_err(|error| CoreError::Internal(error.to_string()))
}

impl Core {
    pub(super) async fn run_plugin(self: &Arc<Self>, call: &Call<'_>) -> Result<Answer> {
        let hash = self.code_of(call).await?;
        let plugin = match self.uploads.checked.get(&hash) {
            Some(plugin) => plugin,
            None => {
                let plugin = checked(self.uploaded_code(call, &hash).await?).await?;
                let plugin = plugin.map_err(|error| CoreError::Unavailable(error.to_string()))?;
                self.uploads.checked.insert(hash, plugin.clone());
                plugin
            }
        };
        let Powers { limits: bounds, grants, env, .. } = self.powers(call, Asks::Anything).await?;
        let courier = Arc::new(self.sandbox.courier(call.host.clone(), &grants, bounds.wall));
        let request = PluginCall {
            function: call.tool.call_name().to_owned(),
            input: call.arguments.to_owned(),
            config: env,
            limits: plugin_limits(&bounds),
            host: Arc::new(PluginNetwork::new(Arc::clone(&courier))),
        };
        let PluginOutcome { result, log } = self.uploads.plugins.call(&plugin, request).await;
        let denials = courier.denials();
        let (status, text) = match result {
            Ok(text) => (ToolStatus::Success, text),
            Err(failure) => {
                let hint = program::denied(&denials).unwrap_or_default();
                (ToolStatus::Error, format!("{failure}{hint}"))
            }
        };
        let text = mneme_sandbox::clean(text, bounds.output_bytes);
        let log = mneme_sandbox::clean(log, bounds.log_bytes);
        let stderr = if log.is_empty() { Vec::new() } else { vec![log] };
        Ok(Answer { status, text, stdout: Vec::new(), stderr, denials })
    }

    /// The tools of an uploaded plugin: those that its owner wrote down, or those that it tells.
    ///
    /// # Errors
    /// 403 for who is no administrator, 422 for what is not taken.
    pub(crate) async fn plugin_tools(self: &Arc<Self>, actor: &Actor, upload: &Upload) -> Result<Vec<ToolSpec>> {
        if actor.role < Role::Admin {
            return Err(CoreError::Forbidden("Only an administrator uploads Extism plugins".into()));
        }
        let plugin = checked(upload.code.clone()).await?.map_err(|error| refusal(&error))?;
        let list = match &upload.functions {
            Some(list) => list.clone(),
            None => self.described(&plugin).await?,
        };
        let field = if upload.functions.is_some() { "functions" } else { "file" };
        let specs = ToolSpec::from_list(&list).map_err(|error| {
            CoreError::field(field, error.to_string().replace("the component describes", "the plugin describes"))
        })?;
        for spec in &specs {
            plugin.require(&spec.name).map_err(|error| refusal(&error))?;
        }
        Ok(specs)
    }

    async fn described(&self, plugin: &Plugin) -> Result<Value> {
        if plugin.require(Plugins::DESCRIBE).is_err() {
            let hint = "name the plugin's tools in the field `functions`, or let it export `describe`";
            return Err(CoreError::field("functions", hint));
        }
        self.uploads
            .plugins
            .describe(plugin)
            .await
            .map_err(|reason| CoreError::field("file", format!("the plugin describes its tools wrongly: {reason}")))
    }
}
