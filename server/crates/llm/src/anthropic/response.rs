//! From Messages answers, streamed or not, to deltas.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    event::{Delta, FinishReason, Usage},
    json::{count_at, str_at},
    slots::{Arguments, Piece},
    wire::{Decoder, Fault, Progress},
};

/// Decodes one message.
#[derive(Default)]
pub(crate) struct MessagesDecoder {
    progress: Progress,
    /// Blocks under way, by index.
    open: HashMap<u64, Open>,
    counts: Counts,
}

/// What a block has to say when it closes.
enum Open {
    Thinking {
        signature: String,
    },
    /// The input that came with the start of the block; deltas replace it.
    Tool {
        input: Option<Value>,
    },
}

/// Token counts as Anthropic splits them; later events update earlier ones.
#[derive(Default)]
struct Counts {
    input: Option<u64>,
    cache_write: Option<u64>,
    cache_read: Option<u64>,
    output: Option<u64>,
}

impl Decoder for MessagesDecoder {
    fn event(&mut self, payload: &Value, out: &mut Vec<Delta>) -> Result<(), Fault> {
        let index = payload.get("index").and_then(Value::as_u64).unwrap_or(0);
        match str_at(payload, "type").unwrap_or_default() {
            "message_start" => self.count(payload.pointer("/message/usage")),
            "content_block_start" => {
                if let Some(block) = payload.get("content_block") {
                    self.start(index, block, out);
                }
            }
            "content_block_delta" => {
                if let Some(delta) = payload.get("delta") {
                    self.delta(index, delta, out);
                }
            }
            "content_block_stop" => self.stop(index, out),
            "message_delta" => {
                self.count(payload.get("usage"));
                self.finish(payload.get("delta").unwrap_or(payload));
            }
            "message_stop" => self.progress.done = true,
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, body: &Value, out: &mut Vec<Delta>) -> Result<(), Fault> {
        let content = body
            .get("content")
            .and_then(Value::as_array)
            .ok_or(Fault::Malformed("the provider's answer has no content"))?;
        for (index, block) in (0..).zip(content) {
            self.start(index, block, out);
            self.stop(index, out);
        }
        self.count(body.get("usage"));
        self.finish(body);
        Ok(())
    }

    fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }
}

impl MessagesDecoder {
    fn start(&mut self, index: u64, block: &Value, out: &mut Vec<Delta>) {
        match str_at(block, "type") {
            Some("text") => out.extend(str_at(block, "text").map(|text| Delta::Text(text.to_owned()))),
            Some("thinking") => {
                out.extend(str_at(block, "thinking").map(thought));
                let signature = str_at(block, "signature").unwrap_or_default().to_owned();
                self.open.insert(index, Open::Thinking { signature });
            }
            Some("redacted_thinking") => {
                out.extend(str_at(block, "data").map(|data| Delta::RedactedReasoning(data.to_owned())));
            }
            Some("tool_use") => {
                let id = str_at(block, "id").map(str::to_owned);
                let name = str_at(block, "name").map(str::to_owned);
                self.piece(index, id, name, Arguments::Absent, out);
                self.open.insert(index, Open::Tool { input: block.get("input").cloned() });
            }
            _ => {}
        }
    }

    fn delta(&mut self, index: u64, delta: &Value, out: &mut Vec<Delta>) {
        match str_at(delta, "type") {
            Some("text_delta") => out.extend(str_at(delta, "text").map(|text| Delta::Text(text.to_owned()))),
            Some("thinking_delta") => out.extend(str_at(delta, "thinking").map(thought)),
            Some("signature_delta") => {
                if let (Some(Open::Thinking { signature }), Some(more)) =
                    (self.open.get_mut(&index), str_at(delta, "signature"))
                {
                    signature.push_str(more);
                }
            }
            Some("input_json_delta") => {
                let Some(text) = str_at(delta, "partial_json") else {
                    return;
                };
                if let Some(Open::Tool { input }) = self.open.get_mut(&index) {
                    *input = None;
                }
                self.piece(index, None, None, Arguments::Fragment(text.to_owned()), out);
            }
            _ => {}
        }
    }

    fn stop(&mut self, index: u64, out: &mut Vec<Delta>) {
        match self.open.remove(&index) {
            Some(Open::Thinking { signature }) if !signature.is_empty() => {
                out.push(Delta::Reasoning { text: String::new(), signature: Some(signature) });
            }
            Some(Open::Tool { input: Some(input) }) => {
                self.piece(index, None, None, Arguments::from_json(Some(&input)), out);
            }
            _ => {}
        }
    }

    fn piece(
        &mut self,
        index: u64,
        id: Option<String>,
        name: Option<String>,
        arguments: Arguments,
        out: &mut Vec<Delta>,
    ) {
        let index = usize::try_from(index).ok();
        self.progress.slots.accept(Piece { index, id, name, arguments }, out);
    }

    fn finish(&mut self, message: &Value) {
        let Some(reason) = str_at(message, "stop_reason") else {
            return;
        };
        self.progress.finish = Some(match reason {
            "end_turn" | "stop_sequence" => FinishReason::Stop,
            "tool_use" => FinishReason::ToolCalls,
            "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
            "refusal" => FinishReason::Refusal,
            other => FinishReason::Other(other.to_owned()),
        });
    }

    fn count(&mut self, usage: Option<&Value>) {
        let Some(usage) = usage else { return };
        let counts = &mut self.counts;
        for (key, count) in [
            ("input_tokens", &mut counts.input),
            ("cache_creation_input_tokens", &mut counts.cache_write),
            ("cache_read_input_tokens", &mut counts.cache_read),
            ("output_tokens", &mut counts.output),
        ] {
            *count = count_at(usage, key).or(*count);
        }
        if let (Some(input), Some(output)) = (counts.input, counts.output) {
            // Anthropic counts only what it neither read from nor wrote to its cache as input.
            let prompt_tokens = input + counts.cache_write.unwrap_or(0) + counts.cache_read.unwrap_or(0);
            self.progress.usage = Some(Usage {
                prompt_tokens,
                completion_tokens: output,
                total_tokens: prompt_tokens + output,
                cached_tokens: counts.cache_read,
                cache_write_tokens: counts.cache_write,
                reasoning_tokens: None,
            });
        }
    }
}

fn thought(text: &str) -> Delta {
    Delta::Reasoning { text: text.to_owned(), signature: None }
}
