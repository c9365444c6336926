//! Folds the deltas of a stream into a completion.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{
    event::{Completion, Delta, FinishReason, Usage},
    request::Reasoning,
    slots::{Arguments, Piece, Slots},
};

/// Collects [`Delta`]s. Also usable on what did arrive when a stream ends early.
#[derive(Debug)]
pub struct Assembler {
    started: Instant,
    first: Option<Instant>,
    text: String,
    reasoning: Vec<Reasoning>,
    /// The last reasoning block may still grow.
    open: bool,
    slots: Slots,
    usage: Option<Usage>,
    finish: Option<FinishReason>,
}

impl Default for Assembler {
    fn default() -> Self {
        Self::new()
    }
}

impl Assembler {
    /// An empty assembler; the time to the first content counts from here.
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            first: None,
            text: String::new(),
            reasoning: Vec::new(),
            open: false,
            slots: Slots::default(),
            usage: None,
            finish: None,
        }
    }

    /// Takes the next delta.
    pub fn push(&mut self, delta: Delta) {
        if !matches!(delta, Delta::Usage(_) | Delta::Finish(_)) {
            self.first.get_or_insert_with(Instant::now);
        }
        match delta {
            Delta::Reasoning { text, signature } => self.reason(&text, signature),
            Delta::RedactedReasoning(data) => {
                self.open = false;
                self.reasoning.push(Reasoning { redacted: Some(data), ..Reasoning::default() });
            }
            Delta::Text(text) => self.text.push_str(&text),
            Delta::ToolCall { index, id, name, arguments } => {
                let piece = Piece { index: Some(index), id, name, arguments: Arguments::Fragment(arguments) };
                self.slots.accept(piece, &mut Vec::new());
            }
            Delta::Usage(usage) => self.usage = Some(usage),
            Delta::Finish(reason) => self.finish = Some(reason),
        }
    }

    fn reason(&mut self, text: &str, signature: Option<String>) {
        if text.is_empty() && signature.is_none() {
            return;
        }
        if !self.open {
            self.reasoning.push(Reasoning::default());
        }
        if let Some(block) = self.reasoning.last_mut() {
            block.text.push_str(text);
            self.open = signature.is_none();
            block.signature = signature;
        }
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the stream said why it ended.
    pub fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// The completion. Its request is `Null` and its response a summary of what was assembled.
    pub fn finish(self) -> Completion {
        let tool_calls = self.slots.into_calls();
        let finish = match self.finish {
            Some(FinishReason::Stop) | None if !tool_calls.is_empty() => FinishReason::ToolCalls,
            Some(reason) => reason,
            None => FinishReason::Stop,
        };
        let text = (!self.text.is_empty()).then_some(self.text);
        let response_json = json!({
            "text": text, "reasoning": self.reasoning, "tool_calls": tool_calls, "usage": self.usage, "finish": finish,
        });
        Completion {
            text,
            reasoning: self.reasoning,
            tool_calls,
            usage: self.usage,
            finish,
            request_json: Value::Null,
            response_json,
            ttft: self.first.map(|at| at - self.started),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assemble(deltas: Vec<Delta>) -> Completion {
        let mut assembler = Assembler::new();
        deltas.into_iter().for_each(|delta| assembler.push(delta));
        assembler.finish()
    }

    fn think(text: &str, signature: Option<&str>) -> Delta {
        Delta::Reasoning { text: text.into(), signature: signature.map(str::to_owned) }
    }

    fn tool(index: usize, id: Option<&str>, name: Option<&str>, arguments: &str) -> Delta {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Delta::ToolCall { index, id: owned(id), name: owned(name), arguments: arguments.into() }
    }

    #[test]
    fn a_signature_closes_its_block() {
        let done = assemble(vec![
            think("", None),
            think("a", None),
            think("b", None),
            think("", Some("s1")),
            Delta::RedactedReasoning("opaque".into()),
            think("c", None),
            Delta::Text("x".into()),
            Delta::Text("y".into()),
            Delta::Finish(FinishReason::Stop),
        ]);
        let block = |text: &str, signature: Option<&str>, redacted: Option<&str>| Reasoning {
            text: text.into(),
            signature: signature.map(str::to_owned),
            redacted: redacted.map(str::to_owned),
        };
        assert_eq!(
            done.reasoning,
            [block("ab", Some("s1"), None), block("", None, Some("opaque")), block("c", None, None)]
        );
        assert_eq!(done.text.as_deref(), Some("xy"));
        assert_eq!(done.finish, FinishReason::Stop);
        assert!(done.ttft.is_some());
    }

    #[test]
    fn tool_calls_are_merged_and_repaired() {
        let done = assemble(vec![
            tool(0, Some("a"), Some("f"), "{\"x\""),
            tool(1, Some("a"), Some("g"), ""),
            tool(0, None, None, ":1}"),
            tool(2, None, Some("h"), "{}"),
            tool(3, Some("c"), None, ""),
            Delta::Usage(Usage { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, ..Usage::default() }),
            Delta::Finish(FinishReason::Stop),
        ]);
        let shown: Vec<_> = done.tool_calls.iter().map(|c| (c.name.as_str(), c.arguments.as_str())).collect();
        assert_eq!(shown, [("f", "{\"x\":1}"), ("g", "{}"), ("h", "{}")]);
        assert_eq!(done.tool_calls[0].id, "a");
        assert!(done.tool_calls[1].id.starts_with("call_") && done.tool_calls[2].id.starts_with("call_"));
        assert_ne!(done.tool_calls[1].id, done.tool_calls[2].id);
        assert_eq!(done.finish, FinishReason::ToolCalls, "a stop with tool calls is not a stop");
        assert_eq!(done.usage.map(|usage| usage.total_tokens), Some(7));
        assert_eq!(done.text, None);
    }

    #[test]
    fn nothing_at_all_is_an_empty_stop() {
        let done = assemble(vec![]);
        assert_eq!((done.text, done.finish, done.usage, done.ttft), (None, FinishReason::Stop, None, None));
    }
}
