//! What a program of a language runtime did, in the words that a tool's caller gets.

use mneme_domain::{
    message::ToolStatus,
    policy::{Denial, capability},
};
use mneme_sandbox::{RuntimeError, ScriptFailure, ScriptOutcome};

use super::Answer;

/// The answer of the function `name`, in the words that clients know: values as their language shows them, errors with
/// their type.
pub fn answer(name: &str, nothing: &str, outcome: ScriptOutcome) -> Answer {
    let ScriptOutcome { result, stdout, mut stderr, denials, .. } = outcome;
    let (status, text) = match result {
        Ok(value) => (ToolStatus::Success, value.map_or_else(|| nothing.to_owned(), |value| value.text)),
        Err(failure) => {
            if let ScriptFailure::Raised(raised) = &failure
                && !raised.traceback.trim().is_empty()
            {
                stderr.push(raised.traceback.clone());
            }
            let hint = denied(&denials).unwrap_or_default();
            (ToolStatus::Error, format!("Error executing function {name}: {failure}{hint}"))
        }
    };
    Answer { status, text, stdout, stderr, denials }
}

/// The answer when there is no runtime.
pub fn no_runtime(name: &str, error: &RuntimeError) -> Answer {
    tracing::warn!(tool = name, %error, "a tool could not be run");
    Answer::refused(format!("The tool {name} could not be run: {error}"))
}

/// What was refused, for a program whose own error may not say it.
pub fn denied(denials: &[Denial]) -> Option<String> {
    let first = denials.first()?;
    let what = if first.capability == capability::NETWORK { "network access" } else { &first.capability };
    Some(format!(" (denied: {what}: {})", first.detail))
}
