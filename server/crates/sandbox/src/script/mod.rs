//! Tools and programs as source text, run by a language runtime.

mod program;
mod runtimes;

pub use program::{
    Action, Display, Language, Program, Raised, RuntimeError, ScriptFailure, ScriptOutcome, ScriptRequest, ScriptValue,
};
pub use runtimes::Runtimes;
