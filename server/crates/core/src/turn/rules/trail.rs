//! What was called in a turn so far, as rules see it. A turn that waited for a person, or that another server goes on
//! with, finds it in the history.

use std::{borrow::Borrow, collections::HashMap};

use mneme_domain::{
    StepId,
    message::{Message, MessageRole, StoredToolCall, StoredToolReturn, ToolStatus},
};

/// How the return of a call begins that rules do not allow.
pub const REFUSED: &str = "[ToolConstraintError]";
/// How the return of a call begins that a person denied.
pub const DENIED: &str = "Error: request denied.";

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Returned(String),
    Failed,
    Denied,
}

/// The calls of a turn, in order. Refused ones are not in it: they did not happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trail {
    calls: Vec<(String, Outcome)>,
    held_back: bool,
}

impl Trail {
    /// Takes in a call and what it returned.
    pub fn push(&mut self, call: &StoredToolCall, returned: &StoredToolReturn) {
        let text = returned.func_response.as_deref().unwrap_or_default();
        let outcome = match returned.status {
            ToolStatus::Success => Outcome::Returned(text.to_owned()),
            ToolStatus::Error if text.starts_with(REFUSED) => return,
            ToolStatus::Error if text.starts_with(DENIED) => Outcome::Denied,
            ToolStatus::Error => Outcome::Failed,
        };
        self.calls.push((call.function.name.clone(), outcome));
    }

    /// Remembers that the model wanted to end the turn and may not yet.
    pub fn hold_back(&mut self) {
        self.held_back = true;
    }

    /// Whether the model wanted to end the turn before it may.
    pub fn is_held_back(&self) -> bool {
        self.held_back
    }

    /// Whether nothing was called.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Whether the tool was called, with whatever success.
    pub fn knows(&self, name: &str) -> bool {
        self.calls.iter().any(|(other, _)| other == name)
    }

    /// How often the tool ran.
    pub fn count(&self, name: &str) -> usize {
        self.calls.iter().filter(|(other, outcome)| other == name && *outcome != Outcome::Denied).count()
    }

    /// The call that decides what may follow. A failed call leaves all as it was before, so it can be tried again; a
    /// denied one lifts what bound the model, so it can look for another way.
    fn last(&self) -> Option<&(String, Outcome)> {
        self.calls.iter().rev().find(|(_, outcome)| *outcome != Outcome::Failed)
    }

    /// Whether what comes next follows this tool.
    pub fn follows(&self, name: &str) -> bool {
        self.output_of(name).is_some()
    }

    /// What the tool returned, when what comes next follows it.
    pub fn output_of(&self, name: &str) -> Option<&str> {
        match self.last() {
            Some((other, Outcome::Returned(text))) if other == name => Some(text),
            _ => None,
        }
    }

    /// The trail of the turn that a history ends in, without what the step `except` did.
    ///
    /// A turn begins after the last message of a client: one that belongs to a run and to none of its steps.
    pub fn of<M: Borrow<Message>>(messages: &[M], except: Option<&StepId>) -> Self {
        let begins = messages.iter().rposition(|message| {
            let message: &Message = message.borrow();
            matches!(message.role, MessageRole::User | MessageRole::System)
                && message.run_id.is_some()
                && message.step_id.is_none()
        });
        let mut trail = Self::default();
        let mut open: HashMap<&str, &StoredToolCall> = HashMap::new();
        for message in &messages[begins.map_or(0, |at| at + 1)..] {
            let message: &Message = message.borrow();
            if except.is_some() && message.step_id.as_ref() == except {
                continue;
            }
            match message.role {
                MessageRole::User if message.step_id.is_some() => trail.hold_back(),
                MessageRole::Assistant | MessageRole::Approval => {
                    open.extend(message.tool_calls.iter().flatten().map(|call| (call.id.as_str(), call)));
                }
                MessageRole::Tool => {
                    for returned in &message.tool_returns {
                        let id = returned.tool_call_id.as_deref().unwrap_or_default();
                        if let Some(call) = open.remove(id) {
                            trail.push(call, returned);
                        }
                    }
                }
                _ => {}
            }
        }
        trail
    }
}
