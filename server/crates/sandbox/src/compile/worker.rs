//! The side of the compiling process: one component or module in, one artefact in the cache folder out.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit};
use wasmtime::Module;
use wasmtime::component::Component;

use super::from_binary;
use crate::cache::{self, Artefact, Cache};

/// Exit code: the component is not valid; standard output says why.
pub const REFUSED: i32 = 65;
/// Exit code: there is no way to work here.
const UNABLE: u8 = 75;
/// Largest artefact, in bytes.
const MAX_ARTEFACT: u64 = 2 << 30;

/// The job of a compiling process, as its command line has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileJob {
    /// The cache folder, as [`crate::SandboxConfig::cache_dir`] names it.
    pub cache_dir: PathBuf,
    /// Memory that the process may take, in bytes.
    pub memory_bytes: u64,
    /// Time that the process may compute for, all its threads together, in seconds.
    pub cpu_seconds: u64,
    /// What to compile: `component` or `module`.
    pub kind: String,
}

impl CompileJob {
    /// The hidden subcommand that runs a job.
    pub const COMMAND: &'static str = "compile-component";
    /// Threads that compile.
    pub(super) const THREADS: usize = 2;

    /// The arguments for a program that knows [`CompileJob::COMMAND`]:
    /// `compile-component <cache-dir> <memory-bytes> <cpu-seconds> <kind>`.
    pub(super) fn arguments(&self) -> [OsString; 5] {
        [
            Self::COMMAND.into(),
            self.cache_dir.clone().into(),
            self.memory_bytes.to_string().into(),
            self.cpu_seconds.to_string().into(),
            self.kind.clone().into(),
        ]
    }

    /// Reads a component from standard input and compiles it into the cache, within limits that the process puts on
    /// itself first. Only for a process that does nothing else.
    pub fn run(&self) -> ExitCode {
        self.confine();
        match self.compile() {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure::Refused(reason)) => {
                // Nobody listens any more when this fails.
                let _ = std::io::stdout().write_all(reason.as_bytes());
                ExitCode::from(REFUSED as u8)
            }
            Err(Failure::Unable(reason)) => {
                let _ = std::io::stdout().write_all(reason.as_bytes());
                ExitCode::from(UNABLE)
            }
        }
    }

    fn compile(&self) -> Result<(), Failure> {
        match self.kind.as_str() {
            Module::KIND => self.compile_as::<Module>(),
            _ => self.compile_as::<Component>(),
        }
    }

    fn compile_as<A: Artefact>(&self) -> Result<(), Failure> {
        let unable = |error: &dyn std::fmt::Display| Failure::Unable(error.to_string());
        let engine = A::compiling_engine().map_err(|error| unable(&error))?;
        let cache = Cache::open(&self.cache_dir, &engine).map_err(|error| unable(&error))?;
        let mut wasm = Vec::new();
        std::io::stdin().lock().read_to_end(&mut wasm).map_err(|error| unable(&error))?;
        let component: A = from_binary(&engine, &wasm).map_err(Failure::Refused)?;
        let hash = cache::content_hash(&wasm);
        cache.store(&component, &hash).map_err(Failure::Unable)
    }

    /// Limits, and the last place in every queue. What cannot be set here is still bounded by the server, which stops
    /// a process that takes too long.
    fn confine(&self) {
        let limit = |resource, most: u64| {
            let _ = rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
        };
        limit(Resource::Data, self.memory_bytes);
        limit(Resource::Cpu, self.cpu_seconds);
        limit(Resource::Core, 0);
        limit(Resource::Fsize, MAX_ARTEFACT);
        let _ = rustix::process::nice(10);
        #[cfg(target_os = "linux")]
        {
            // When memory is short, this process goes first.
            let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
        }
    }
}

enum Failure {
    /// The component is not valid.
    Refused(String),
    /// It is not the component's fault.
    Unable(String),
}
