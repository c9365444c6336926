//! Calls: a fresh instance each, with every limit set.

use std::sync::Arc;
use std::time::Duration;

use extism::{CompiledPlugin, Manifest, PluginBuilder, Wasm};
use mneme_memo::{Bounds, Memo};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::functions::{Context, Contexts, with_host};
use crate::{Plugin, PluginHost};

/// Instructions that a plugin may execute in a millisecond of computing time; a slow machine executes as many.
const FUEL_PER_MS: u64 = 500_000;
/// Calls that run at the same time, each on a thread of its own.
const CALLS: usize = 8;
/// Plugins whose compiled code is kept in memory.
const COMPILED: u64 = 16;
const PAGE: u64 = 64 << 10;

/// What one call may use up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginLimits {
    /// All linear memories together, in bytes.
    pub memory_bytes: u64,
    /// Computing time, counted in instructions.
    pub cpu: Duration,
    /// Time from start to end.
    pub wall: Duration,
    /// The result's size in bytes; more is cut off.
    pub output_bytes: usize,
    /// The log's size in bytes; more is cut off.
    pub log_bytes: usize,
}

/// One call of a function of a plugin.
pub struct PluginCall {
    /// An exported function.
    pub function: String,
    /// What it gets.
    pub input: String,
    /// What it finds as its configuration.
    pub config: Vec<(String, String)>,
    /// What it may use up.
    pub limits: PluginLimits,
    /// Answers for it.
    pub host: Arc<dyn PluginHost>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginOutcome {
    /// What the function gave, or why it did not.
    pub result: Result<String, PluginFailure>,
    /// What it logged.
    pub log: String,
}

/// Why a call has no result, in words for a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginFailure {
    /// The plugin said so, or crashed.
    #[error("{0}")]
    Failed(String),
    /// A clock ran out.
    #[error("the tool was stopped: it used its {seconds} s of {1}", seconds = .0.as_secs_f64())]
    Timeout(Duration, &'static str),
    /// It asked for more memory than it may have.
    #[error("the tool was stopped: it needs more than its {mib} MiB of memory", mib = .0 >> 20)]
    OutOfMemory(u64),
    /// The server could not run it.
    #[error("the tool could not be run: {0}")]
    Internal(String),
}

type Key = ([u8; 32], u32, u64, u64);
/// Whoever comes first compiles; others wait for it.
type Slot = Arc<Mutex<Option<Arc<CompiledPlugin>>>>;

/// Runs plugins. Clones share what is compiled.
#[derive(Clone)]
pub struct Plugins {
    compiled: Arc<Memo<Key, Slot>>,
    contexts: Contexts,
    places: Arc<Semaphore>,
}

impl Default for Plugins {
    fn default() -> Self {
        let (contexts, places) = (Contexts::default(), Arc::new(Semaphore::new(CALLS)));
        Self { compiled: Arc::new(Memo::new(Bounds::of(COMPILED))), contexts, places }
    }
}

impl std::fmt::Debug for Plugins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugins").finish_non_exhaustive()
    }
}

impl Plugins {
    /// Calls a function in a fresh instance. A plugin that was not called lately is compiled first.
    pub async fn call(&self, plugin: &Plugin, call: PluginCall) -> PluginOutcome {
        let wall = call.limits.wall;
        let refused = |failure| PluginOutcome { result: Err(failure), log: String::new() };
        let Ok(Ok(place)) = tokio::time::timeout(wall, Arc::clone(&self.places).acquire_owned()).await else {
            return refused(PluginFailure::Internal("too many plugins are running, try again later".into()));
        };
        let (this, plugin) = (self.clone(), plugin.clone());
        let running = tokio::task::spawn_blocking(move || {
            let _place = place;
            this.run(&plugin, call)
        });
        running.await.unwrap_or_else(|error| refused(PluginFailure::Internal(error.to_string())))
    }

    fn run(&self, plugin: &Plugin, call: PluginCall) -> PluginOutcome {
        let PluginCall { function, input, config, limits, host } = call;
        let answer = Mutex::new((0, "{}".to_owned()));
        let context = Arc::new(Context { host, config, log: Mutex::default(), log_bytes: limits.log_bytes, answer });
        let result = self.compiled(plugin, &limits).and_then(|compiled| {
            let mut instance =
                extism::Plugin::new_from_compiled(&compiled).map_err(|error| explain(&error, &limits))?;
            self.contexts.lock().insert(instance.id, Arc::clone(&context));
            let result = instance.call::<&str, Vec<u8>>(&function, &input).map_err(|error| explain(&error, &limits));
            self.contexts.lock().remove(&instance.id);
            result
        });
        let result = result.map(|mut bytes| {
            bytes.truncate(limits.output_bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let log = std::mem::take(&mut *context.log.lock());
        PluginOutcome { result, log }
    }

    fn compiled(&self, plugin: &Plugin, limits: &PluginLimits) -> Result<Arc<CompiledPlugin>, PluginFailure> {
        let pages = u32::try_from(limits.memory_bytes / PAGE).unwrap_or(u32::MAX);
        let (fuel, wall) = (millis(limits.cpu).saturating_mul(FUEL_PER_MS), millis(limits.wall));
        let key = (plugin.hash, pages, fuel, wall);
        let slot = self.compiled.get_with(&key, Slot::default);
        let mut slot = slot.lock();
        if let Some(compiled) = &*slot {
            return Ok(Arc::clone(compiled));
        }
        let mut manifest = Manifest::new([Wasm::data(&*plugin.wasm)])
            .with_memory_max(pages)
            .with_timeout(Duration::from_millis(wall))
            .with_allowed_hosts(std::iter::empty());
        manifest.memory.max_http_response_bytes = Some(0);
        manifest.memory.max_var_bytes = Some(limits.memory_bytes);
        let builder = PluginBuilder::new(manifest).with_wasi(true).with_cache_disabled().with_fuel_limit(fuel);
        let compiled = with_host(builder, &self.contexts).compile().map_err(|error| {
            // An empty place would keep one from a plugin that can be compiled.
            self.compiled.remove(&key);
            PluginFailure::Failed(shortened(&error))
        })?;
        Ok(Arc::clone(slot.insert(Arc::new(compiled))))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Says in plain words why the engine gave up. Its own words carry traces of the plugin's functions.
fn explain(error: &extism::Error, limits: &PluginLimits) -> PluginFailure {
    let root = error.root_cause().to_string();
    let said = |word: &str| error.chain().any(|cause| cause.to_string().contains(word));
    if root == "timeout" {
        PluginFailure::Timeout(limits.wall, "time")
    } else if said("ran out of fuel") || said("all fuel consumed") {
        PluginFailure::Timeout(limits.cpu, "computing time")
    } else if root == "oom" || said("memory minimum size") {
        PluginFailure::OutOfMemory(limits.memory_bytes)
    } else {
        PluginFailure::Failed(shortened(&root))
    }
}

/// An error message of bounded length.
fn shortened(error: &impl ToString) -> String {
    const SHOWN: usize = 2_000;
    error.to_string().chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests;
