//! Bounding and cleaning what a guest said, before anyone sees it.

use tokio::time::Instant;

use crate::bindings::script::exports::mneme::script::interpreter;
use crate::output::{self, Capture};
use crate::state::Streams;
use crate::{CallOutcome, Display, Limits, Raised, ScriptFailure, ScriptOutcome, ScriptValue, ToolFailure, ansi};

/// Size of what one program may show beside its value, in bytes.
const MAX_DISPLAYS: usize = 16 << 20;
/// Size of the name of a type, in bytes.
const MAX_NAME: usize = 200;

/// The outcome of a tool's call that began at `start`.
pub fn of_call(result: Result<String, ToolFailure>, limits: &Limits, streams: &Streams, start: Instant) -> CallOutcome {
    let mut cleaner = Cleaner { limit: limits.output_bytes, truncated: false };
    let result = result.map(|text| cleaner.clean(text)).map_err(|failure| cleaner.failure(failure));
    CallOutcome {
        result,
        stdout: cleaner.captured(&streams.stdout),
        stderr: cleaner.captured(&streams.stderr),
        truncated: cleaner.truncated,
        denials: streams.denials.list(),
        usage: *streams.usage.lock(),
        duration: start.elapsed(),
    }
}

/// The outcome of a program's run that began at `start`.
pub fn of_script(
    answer: Result<interpreter::Outcome, ToolFailure>,
    limits: &Limits,
    streams: &Streams,
    start: Instant,
) -> ScriptOutcome {
    let mut cleaner = Cleaner { limit: limits.output_bytes, truncated: false };
    let (result, displays) = match answer {
        Err(failure) => (Err(ScriptFailure::Stopped(cleaner.failure(failure))), Vec::new()),
        Ok(interpreter::Outcome { value, displays }) => {
            let displays = cleaner.displays(displays);
            let result = match value {
                Ok(value) => Ok(value.map(|value| cleaner.value(value))),
                Err(failure) => Err(cleaner.script_failure(failure.into())),
            };
            (result, displays)
        }
    };
    ScriptOutcome {
        result,
        displays,
        stdout: cleaner.captured(&streams.stdout),
        stderr: cleaner.captured(&streams.stderr),
        truncated: cleaner.truncated,
        denials: streams.denials.list(),
        usage: *streams.usage.lock(),
        duration: start.elapsed(),
    }
}

/// A text of a guest's, fit to be shown: no longer than so many bytes, and without control sequences.
pub fn clean(text: String, limit: usize) -> String {
    ansi::strip(&output::cut(text, limit).0)
}

struct Cleaner {
    limit: usize,
    truncated: bool,
}

impl Cleaner {
    fn clean(&mut self, text: String) -> String {
        let (text, cut) = output::cut(text, self.limit);
        self.truncated |= cut;
        ansi::strip(&text)
    }

    fn captured(&mut self, capture: &Capture) -> Vec<String> {
        let (text, cut) = capture.text();
        self.truncated |= cut;
        match text.is_empty() {
            true => Vec::new(),
            false => vec![text],
        }
    }

    fn failure(&mut self, failure: ToolFailure) -> ToolFailure {
        match failure {
            ToolFailure::InvalidArguments(text) => ToolFailure::InvalidArguments(self.clean(text)),
            ToolFailure::Failed(text) => ToolFailure::Failed(self.clean(text)),
            ToolFailure::Denied(text) => ToolFailure::Denied(self.clean(text)),
            other => other,
        }
    }

    fn script_failure(&mut self, failure: ScriptFailure) -> ScriptFailure {
        match failure {
            ScriptFailure::InvalidArguments(text) => ScriptFailure::InvalidArguments(self.clean(text)),
            ScriptFailure::Raised(raised) => ScriptFailure::Raised(Raised {
                name: ansi::strip(&output::cut(raised.name, MAX_NAME).0),
                message: self.clean(raised.message),
                traceback: self.clean(raised.traceback),
            }),
            ScriptFailure::Stopped(failure) => ScriptFailure::Stopped(self.failure(failure)),
        }
    }

    /// JSON cannot be cut: it stays whole or goes.
    fn value(&mut self, value: interpreter::Value) -> ScriptValue {
        let json = value.json.filter(|json| json.len() <= self.limit);
        ScriptValue { json, text: self.clean(value.text) }
    }

    fn displays(&mut self, displays: Vec<interpreter::Display>) -> Vec<Display> {
        let mut room = MAX_DISPLAYS;
        let mut kept = Vec::new();
        for interpreter::Display { media_type, data } in displays {
            let fits = data.len() <= room && media_type.len() <= MAX_NAME;
            if fits {
                room -= data.len();
                kept.push(Display { media_type: ansi::strip(&media_type), data });
            }
            self.truncated |= !fits;
        }
        kept
    }
}
