//! How a sandbox is set up, and what can go wrong before a tool runs.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of a [`crate::Sandbox`], shared by all its calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxConfig {
    /// Where compiled guests are kept, created if missing and readable by the owner only.
    /// Without it every start compiles again.
    pub cache_dir: Option<PathBuf>,
    /// Calls that run at the same time; the others wait within their wall-clock limit.
    pub max_instances: u32,
    /// The most linear memory that any call can be given, in bytes: caps [`crate::Limits::memory_bytes`].
    pub max_memory_bytes: usize,
    /// The largest component that is accepted, in bytes.
    pub max_component_bytes: usize,
    /// How long one compilation may take before the component is refused.
    pub compile_timeout: Duration,
    /// Compilations that run at the same time.
    pub max_compilations: usize,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            max_instances: 64,
            max_memory_bytes: 256 << 20,
            max_component_bytes: 64 << 20,
            compile_timeout: Duration::from_secs(120),
            max_compilations: 1,
        }
    }
}

/// Why a sandbox could not be built or a component could not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SandboxError {
    /// The component is larger than [`SandboxConfig::max_component_bytes`].
    #[error("the component has {size} bytes; at most {limit} are accepted")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The bytes are no WebAssembly component; says what they look like instead.
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// The bytes do not validate or do not compile.
    #[error("the component cannot be compiled: {0}")]
    Compile(String),
    /// Compilation took longer than [`SandboxConfig::compile_timeout`].
    #[error("compiling the component took longer than {} s", .0.as_secs_f64())]
    CompileTimeout(Duration),
    /// A valid component that lacks the exports of a tool or imports what the host does not offer.
    #[error("the component is not a tool: {0}")]
    WrongWorld(String),
    /// The component's description of its tools is unusable.
    #[error("the component describes its tools wrongly: {0}")]
    BadSpec(String),
    /// The engine or the cache folder could not be set up.
    #[error("the sandbox cannot be set up: {0}")]
    Setup(String),
}
