//! The host's functions: they stand in the place of Extism's own ones, which would reach the network and the log past
//! the policy of the call.

use std::collections::HashMap;
use std::sync::Arc;

use extism::{CurrentPlugin, EXTISM_ENV_MODULE, Error, PluginBuilder, UserData, Val, ValType};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::{PluginHost, PluginRequest};

const WASI: &str = "wasi_snapshot_preview1";
/// WASI's word for what is not supported.
const NOT_SUPPORTED: i32 = 58;
/// Extism's number of the level `debug`.
const DEBUG: i32 = 1;
/// The most bytes of the description of a request.
const MAX_REQUEST: usize = 1 << 20;

/// One call.
pub struct Context {
    /// Answers for the call.
    pub host: Arc<dyn PluginHost>,
    /// What the plugin finds as its configuration.
    pub config: Vec<(String, String)>,
    /// What the plugin logged.
    pub log: Mutex<String>,
    /// The most bytes of that.
    pub log_bytes: usize,
    /// The last answer's status and headers.
    pub answer: Mutex<(u16, String)>,
}

/// The calls under way, by the plugin's instance.
pub type Contexts = Arc<Mutex<HashMap<Uuid, Arc<Context>>>>;

impl Context {
    fn write(&self, level: &str, line: &str) {
        let mut log = self.log.lock();
        let room = self.log_bytes.saturating_sub(log.len());
        let line = format!("{level}: {line}\n");
        log.push_str(line.get(..line.floor_char_boundary(room)).unwrap_or_default());
    }

    fn request(&self, text: &str, body: Vec<u8>) -> Result<Vec<u8>, Error> {
        *self.answer.lock() = (0, "{}".to_owned());
        let mut request: PluginRequest = serde_json::from_str(text)?;
        request.body = body;
        let answer = self.host.request(request).map_err(Error::msg)?;
        *self.answer.lock() = (answer.status, serde_json::to_string(&answer.headers)?);
        Ok(answer.body)
    }
}

/// The call that an instance works on.
fn context(contexts: &Contexts, plugin: &CurrentPlugin) -> Result<Arc<Context>, Error> {
    contexts.lock().get(&plugin.id()).cloned().ok_or_else(|| Error::msg("no call is under way"))
}

/// The text that a value points at, which is then the host's.
fn taken(plugin: &mut CurrentPlugin, value: &Val) -> Result<String, Error> {
    let text = plugin.memory_get_val::<String>(value)?;
    if let Some(handle) = plugin.memory_from_val(value) {
        plugin.memory_free(handle)?;
    }
    Ok(text)
}

fn set(outputs: &mut [Val], value: Val) -> Result<(), Error> {
    *outputs.first_mut().ok_or_else(|| Error::msg("the function has no result"))? = value;
    Ok(())
}

/// Puts the host's functions in.
pub fn with_host(builder: PluginBuilder<'static>, contexts: &Contexts) -> PluginBuilder<'static> {
    use ValType::{I32, I64};
    let nothing = || UserData::new(());
    let calls = Arc::clone(contexts);
    let config = move |plugin: &mut CurrentPlugin, inputs: &[Val], outputs: &mut [Val], _: UserData<()>| {
        let call = context(&calls, plugin)?;
        let [key] = inputs else { return Err(Error::msg("config_get takes one argument")) };
        let key = taken(plugin, key)?;
        match call.config.iter().find(|(name, _)| *name == key) {
            None => set(outputs, Val::I64(0)),
            Some((_, value)) => {
                let handle = plugin.memory_new(value.as_str())?;
                set(outputs, plugin.memory_to_val(handle))
            }
        }
    };
    let calls = Arc::clone(contexts);
    let request = move |plugin: &mut CurrentPlugin, inputs: &[Val], outputs: &mut [Val], _: UserData<()>| {
        let call = context(&calls, plugin)?;
        let [head, body] = inputs else { return Err(Error::msg("http_request takes two arguments")) };
        let head = taken(plugin, head)?;
        if head.len() > MAX_REQUEST {
            return Err(Error::msg("the description of the request is too long"));
        }
        let body = match body {
            Val::I64(0) => Vec::new(),
            body => plugin.memory_get_val::<Vec<u8>>(body)?,
        };
        let answer = call.request(&head, body)?;
        let handle = plugin.memory_new(answer.as_slice())?;
        set(outputs, plugin.memory_to_val(handle))
    };
    let calls = Arc::clone(contexts);
    let status = move |plugin: &mut CurrentPlugin, _: &[Val], outputs: &mut [Val], _: UserData<()>| {
        let status = context(&calls, plugin)?.answer.lock().0;
        set(outputs, Val::I32(i32::from(status)))
    };
    let calls = Arc::clone(contexts);
    let headers = move |plugin: &mut CurrentPlugin, _: &[Val], outputs: &mut [Val], _: UserData<()>| {
        let headers = context(&calls, plugin)?.answer.lock().1.clone();
        let handle = plugin.memory_new(headers.as_str())?;
        set(outputs, plugin.memory_to_val(handle))
    };
    let level = |_: &mut CurrentPlugin, _: &[Val], outputs: &mut [Val], _: UserData<()>| set(outputs, Val::I32(DEBUG));
    // Extism's own would sleep for as long as a plugin says, where no limit reaches.
    let poll =
        |_: &mut CurrentPlugin, _: &[Val], outputs: &mut [Val], _: UserData<()>| set(outputs, Val::I32(NOT_SUPPORTED));
    let mut builder = builder
        .with_function_in_namespace(EXTISM_ENV_MODULE, "config_get", [I64], [I64], nothing(), config)
        .with_function_in_namespace(EXTISM_ENV_MODULE, "http_request", [I64, I64], [I64], nothing(), request)
        .with_function_in_namespace(EXTISM_ENV_MODULE, "http_status_code", [], [I32], nothing(), status)
        .with_function_in_namespace(EXTISM_ENV_MODULE, "http_headers", [], [I64], nothing(), headers)
        .with_function_in_namespace(EXTISM_ENV_MODULE, "get_log_level", [], [I32], nothing(), level)
        .with_function_in_namespace(WASI, "poll_oneoff", [I32, I32, I32, I32], [I32], nothing(), poll);
    for name in ["trace", "debug", "info", "warn", "error"] {
        let calls = Arc::clone(contexts);
        let log = move |plugin: &mut CurrentPlugin, inputs: &[Val], _: &mut [Val], _: UserData<()>| {
            let call = context(&calls, plugin)?;
            let [line] = inputs else { return Err(Error::msg("a log line is one argument")) };
            call.write(name, &taken(plugin, line)?);
            Ok(())
        };
        let function = format!("log_{name}");
        builder = builder.with_function_in_namespace(EXTISM_ENV_MODULE, function, [I64], [], nothing(), log);
    }
    builder
}
