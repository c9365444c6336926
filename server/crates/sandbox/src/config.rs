//! How a sandbox is set up, and what can go wrong before a tool runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mneme_domain::policy::HostPattern;

/// The SHA-256 of a runtime, by its name.
pub type RuntimeHash = fn(&str) -> Option<[u8; 32]>;

/// Settings of a [`crate::Sandbox`], shared by all its calls.
#[derive(Debug, Clone)]
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
    /// A program that runs [`crate::CompileJob`], so that compiling happens in a process of its own. Without it, or
    /// without a cache folder, this process compiles, and keeps the memory that takes for good.
    pub compiler: Option<PathBuf>,
    /// Compiled code of uploaded components that is kept on disk, in bytes; what was not used for longest goes first.
    /// A component whose code is gone is compiled again when it is next called.
    pub max_uploads_cache_bytes: u64,
    /// Memory that the compiling process may take for an uploaded component, in bytes.
    pub compile_memory_bytes: u64,
    /// Where the language runtimes are: `python.wasm` and so on.
    pub runtimes_dir: Option<PathBuf>,
    /// Puts the runtimes into that folder if they are not there. Called once, before the first is needed.
    pub unpack_runtimes: Option<fn(&Path) -> std::io::Result<()>>,
    /// The SHA-256 that a runtime has as it is unpacked, by its name. With it, compiled code is found without reading
    /// the runtime, which is large.
    pub runtime_hash: Option<RuntimeHash>,
    /// Where folders for the files of programs are made. Without it the machine's folder for temporary files.
    pub scratch_dir: Option<PathBuf>,
    /// Programs of language runtimes that run at the same time; the others wait within their wall-clock limit.
    pub max_scripts: u32,
    /// The most memory that any of them can be given, in bytes. With [`SandboxConfig::max_scripts`] it bounds what
    /// they take together.
    pub max_script_memory_bytes: usize,
    /// How long compiling a language runtime may take. It happens once for each version.
    pub runtime_compile_timeout: Duration,
    /// Memory that the compiling process may take for a language runtime, in bytes.
    pub runtime_compile_memory_bytes: u64,
    /// Hosts that guests may reach although their addresses are not public, if their own policy has them too.
    pub private_hosts: Vec<HostPattern>,
    /// The port on which this server answers: guests that ask for it on their own machine mean the server.
    pub own_port: Option<u16>,
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
            compiler: None,
            max_uploads_cache_bytes: 2 << 30,
            compile_memory_bytes: 2 << 30,
            runtimes_dir: None,
            unpack_runtimes: None,
            runtime_hash: None,
            scratch_dir: None,
            max_scripts: 16,
            max_script_memory_bytes: 512 << 20,
            runtime_compile_timeout: Duration::from_secs(900),
            runtime_compile_memory_bytes: 6 << 30,
            private_hosts: Vec::new(),
            own_port: None,
        }
    }
}

impl SandboxConfig {
    /// [`SandboxConfig::scratch_dir`], or what stands in for it.
    pub(crate) fn scratch_dir(&self) -> PathBuf {
        self.scratch_dir.clone().unwrap_or_else(|| std::env::temp_dir().join("mneme-files"))
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
    /// A valid component that imports an interface which the host does not have.
    #[error("the component imports `{0}`, which the host does not offer; it offers WASI 0.2, wasi:http and mneme:tool")]
    UnknownImport(String),
    /// The component's description of its tools is unusable.
    #[error("the component describes its tools wrongly: {0}")]
    BadSpec(String),
    /// The engine or the cache folder could not be set up.
    #[error("the sandbox cannot be set up: {0}")]
    Setup(String),
}
