//! One run of a program: what goes in and what comes out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mneme_domain::policy::Denial;

use crate::bindings::script::exports::mneme::script::interpreter;
use crate::{Grants, Limits, SandboxError, ToolFailure, ToolHost, Usage};

/// What a program is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// Python.
    Python,
    /// JavaScript. TypeScript has to lose its types first.
    JavaScript,
    /// Python with the libraries of data science, for programs that are evaluated.
    PythonData,
}

impl Language {
    /// Those that come with the server. The others are fetched when somebody asks for them.
    pub const ALL: [Self; 2] = [Self::Python, Self::JavaScript];

    /// The name of the runtime: of its file, without `.wasm`, and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::PythonData => "python-data",
        }
    }
}

/// A run of a program.
#[derive(Clone)]
pub struct ScriptRequest {
    /// The program.
    pub program: Program,
    /// Answers its host calls.
    pub host: Arc<dyn ToolHost>,
    /// What it may use up.
    pub limits: Limits,
    /// What it may reach.
    pub grants: Grants,
}

/// Source text and what to do with it.
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    /// The whole source file.
    pub source: String,
    /// What a traceback calls the file.
    pub filename: String,
    /// What to do.
    pub action: Action,
    /// All environment variables that the program sees.
    pub env: Vec<(String, String)>,
    /// The calling agent as the API shows it, as JSON text.
    pub agent_state: Option<String>,
}

/// What to do with a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Load it, then call one of its functions.
    Call {
        /// The function's name.
        function: String,
        /// Arguments by name: a JSON object as text.
        arguments: String,
    },
    /// Run it; the value of its last expression is the result.
    Evaluate,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptOutcome {
    /// The value, none when the program left none, or why there cannot be one.
    pub result: Result<Option<ScriptValue>, ScriptFailure>,
    /// What the program showed beside it, such as plots.
    pub displays: Vec<Display>,
    /// Captured standard output: empty, or one text.
    pub stdout: Vec<String>,
    /// Captured standard error and log lines: empty, or one text.
    pub stderr: Vec<String>,
    /// Whether the value, a display or a captured text was cut off or left out at a limit.
    pub truncated: bool,
    /// What the program tried without having the power to.
    pub denials: Vec<Denial>,
    /// What it used up.
    pub usage: Usage,
    /// Time from the start of the run to its end.
    pub duration: Duration,
}

/// A value of the program's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptValue {
    /// JSON text, when the value has such a form and it fits the limit whole.
    pub json: Option<String>,
    /// The value as the language turns it into text.
    pub text: String,
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Display {
    /// Such as `image/png`.
    pub media_type: String,
    /// Text as UTF-8.
    pub data: Vec<u8>,
}

/// Why a program gave no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptFailure {
    /// The arguments do not fit the function.
    InvalidArguments(String),
    /// The program is not well-formed, or raised an error.
    Raised(Raised),
    /// The program was stopped, or could not be started.
    Stopped(ToolFailure),
}

/// An error of the program's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// Its type, such as `ValueError`.
    pub name: String,
    /// What it says.
    pub message: String,
    /// The program's own files and lines.
    pub traceback: String,
}

impl fmt::Display for ScriptFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidArguments(text) => f.write_str(text),
            Self::Raised(Raised { name, message, .. }) if message.is_empty() => f.write_str(name),
            Self::Raised(Raised { name, message, .. }) => write!(f, "{name}: {message}"),
            Self::Stopped(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for ScriptFailure {}

/// Why there is no runtime for a language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// It is not installed.
    #[error("the {0} runtime is not installed; run `mneme runtimes install {0}` on the server")]
    Missing(&'static str),
    /// It is being compiled, which takes longer than the call could wait.
    #[error("the {0} runtime is being prepared for its first use; try again in a minute")]
    Preparing(&'static str),
    /// It is there and does not work.
    #[error("the {name} runtime cannot be used: {reason}; run `mneme runtimes install {name}` on the server")]
    Unusable {
        /// Which one.
        name: &'static str,
        /// Why not.
        reason: SandboxError,
    },
}

impl From<Program> for interpreter::Program {
    fn from(program: Program) -> Self {
        Self {
            source: program.source,
            filename: program.filename,
            action: match program.action {
                Action::Call { function, arguments } => {
                    interpreter::Action::Call(interpreter::Invocation { function, arguments })
                }
                Action::Evaluate => interpreter::Action::Evaluate,
            },
            environment: program.env,
            agent_state: program.agent_state,
        }
    }
}

impl From<interpreter::Failure> for ScriptFailure {
    fn from(failure: interpreter::Failure) -> Self {
        match failure {
            interpreter::Failure::InvalidArguments(text) => Self::InvalidArguments(text),
            interpreter::Failure::Raised(interpreter::Raised { name, message, traceback }) => {
                Self::Raised(Raised { name, message, traceback })
            }
        }
    }
}
