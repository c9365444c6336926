//! One tool call: what goes in, what may be used up, what comes out.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mneme_domain::policy::{Denial, NetworkPolicy, Policy, ToolKind};

use crate::ToolHost;

/// A call of one tool of a guest.
#[derive(Clone)]
pub struct CallRequest {
    /// The tool's name, one of the guest's [`crate::Guest::tools`].
    pub tool: String,
    /// A JSON object as text.
    pub arguments: String,
    /// Answers the guest's host calls.
    pub host: Arc<dyn ToolHost>,
    /// What the call may use up.
    pub limits: Limits,
    /// What the call may reach. A tool gets of it what it declared that it needs.
    pub grants: Grants,
    /// The guest's whole environment.
    pub env: Vec<(String, String)>,
}

/// What one call may reach. Everything else is refused, and the refusal is kept in [`CallOutcome::denials`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// Names out of [`crate::capability`].
    pub capabilities: Vec<String>,
    /// Requests to other machines, if the capability `network` is among those.
    pub network: NetworkPolicy,
    /// Folders of this machine that the guest can read.
    pub folders: Vec<Mount>,
}

/// A folder that a guest can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The folder on this machine.
    pub from: PathBuf,
    /// Where the guest sees it: an absolute path.
    pub at: String,
}

impl Mount {
    /// Where language runtimes look for the packages of a program.
    pub const PACKAGES: &'static str = "/packages";

    /// A folder with packages.
    pub fn packages(from: PathBuf) -> Self {
        Self { from, at: Self::PACKAGES.to_owned() }
    }
}

impl Grants {
    /// What a policy gives.
    pub fn of(policy: &Policy) -> Self {
        Self { capabilities: policy.capabilities.clone(), network: policy.network.clone(), folders: Vec::new() }
    }
}

impl Default for Grants {
    /// What a built-in tool gets.
    fn default() -> Self {
        Self::of(&Policy::of(ToolKind::Builtin))
    }
}

/// What one call may use. Whatever goes beyond is refused or ends the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of the instance, all memories together, in bytes.
    pub memory_bytes: usize,
    /// Time spent in guest code, counted in steps of 10 ms.
    pub cpu: Duration,
    /// Time from the start of the call to its end, host calls and waiting included.
    pub wall: Duration,
    /// Time that a single host call may take.
    pub host_call: Duration,
    /// Size of the result text, in bytes; more is cut off and flagged.
    pub output_bytes: usize,
    /// Size of standard output, and of standard error with the log, in bytes; more is cut off and flagged.
    pub log_bytes: usize,
    /// What may be written to files of its own, in bytes: all of it with the capability `scratch`, otherwise a part, for the
    /// temporary files of a program.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 << 20,
            cpu: Duration::from_secs(5),
            wall: Duration::from_secs(60),
            host_call: Duration::from_secs(30),
            output_bytes: 1 << 20,
            log_bytes: 64 << 10,
            file_bytes: 64 << 20,
        }
    }
}

impl Limits {
    /// What a policy gives.
    pub fn of(policy: &Policy) -> Self {
        let bytes = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            memory_bytes: bytes(policy.memory_bytes),
            cpu: policy.cpu(),
            wall: policy.wall(),
            output_bytes: bytes(policy.output_bytes),
            log_bytes: bytes(policy.log_bytes),
            file_bytes: policy.file_bytes,
            ..Self::default()
        }
    }
}

/// What a call used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Time in guest code, counted in steps of 10 ms.
    pub cpu: Duration,
    /// Linear memory at its largest, in bytes.
    pub memory_bytes: usize,
    /// Requests to other machines and to this server.
    pub requests: u32,
    /// Bytes of the bodies of those and their answers.
    pub network_bytes: u64,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOutcome {
    /// The tool's answer, or why there is none.
    pub result: Result<String, ToolFailure>,
    /// Captured standard output: empty, or one text.
    pub stdout: Vec<String>,
    /// Captured standard error and log lines: empty, or one text.
    pub stderr: Vec<String>,
    /// Whether the result or a captured text was cut off at its limit.
    pub truncated: bool,
    /// What the guest tried without having the power to.
    pub denials: Vec<Denial>,
    /// What it used up, as far as it got.
    pub usage: Usage,
    /// Time from the start of the call to its end.
    pub duration: Duration,
}

/// Which clock ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeLimit {
    /// [`Limits::cpu`].
    Cpu,
    /// [`Limits::wall`].
    Wall,
}

/// Why a call has no result. `Display` is fit to be shown to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolFailure {
    /// The tool refused its arguments.
    InvalidArguments(String),
    /// The tool could not do what was asked.
    Failed(String),
    /// The host refused something that the tool needs.
    Denied(String),
    /// The guest crashed.
    Trapped(String),
    /// A time limit ended the call.
    Timeout {
        /// Which one.
        kind: TimeLimit,
        /// How long it was.
        limit: Duration,
    },
    /// The guest asked for more memory than it may have and did not survive the refusal.
    OutOfMemory {
        /// How many bytes it may have.
        limit: usize,
    },
    /// The sandbox itself failed; the text is for the log as much as for the model.
    Internal(String),
}

impl fmt::Display for ToolFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidArguments(text) | Self::Failed(text) | Self::Denied(text) => f.write_str(text),
            Self::Trapped(reason) => write!(f, "the tool crashed: {reason}"),
            Self::Timeout { kind: TimeLimit::Cpu, limit } => {
                write!(f, "the tool was stopped: it used its {} s of computing time", limit.as_secs_f64())
            }
            Self::Timeout { kind: TimeLimit::Wall, limit } => {
                write!(f, "the tool was stopped: it did not finish within {} s", limit.as_secs_f64())
            }
            Self::OutOfMemory { limit } => {
                write!(f, "the tool was stopped: it needs more than its {} MiB of memory", limit >> 20)
            }
            Self::Internal(reason) => write!(f, "the tool could not be run: {reason}"),
        }
    }
}

impl std::error::Error for ToolFailure {}
