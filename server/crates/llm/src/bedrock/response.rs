//! From `converse` answers, streamed or not, to deltas.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    event::{Delta, FinishReason, Usage},
    json::{count_at, str_at, u64_at},
    slots::{Arguments, Piece},
    wire::{Decoder, Fault, Progress},
};

/// Decodes one answer. An event is an object with one key, its type.
#[derive(Default)]
pub(crate) struct ConverseDecoder {
    progress: Progress,
    /// The signatures of reasoning blocks under way, by index.
    signatures: HashMap<u64, String>,
}

impl Decoder for ConverseDecoder {
    fn event(&mut self, payload: &Value, out: &mut Vec<Delta>) -> Result<(), Fault> {
        let Some((name, event)) = payload.as_object().and_then(|map| map.iter().next()) else {
            return Err(Fault::Malformed("the provider streamed something that is no event"));
        };
        let index = u64_at(event, "contentBlockIndex").unwrap_or(0);
        match name.as_str() {
            "contentBlockStart" => {
                if let Some(call) = event.pointer("/start/toolUse") {
                    self.call(index, call, Arguments::Absent, out);
                }
            }
            "contentBlockDelta" => {
                if let Some(delta) = event.get("delta") {
                    self.delta(index, delta, out);
                }
            }
            "contentBlockStop" => self.close(index, out),
            "messageStop" => self.finish(event),
            "metadata" => {
                self.progress.usage = event.get("usage").and_then(usage);
                // Nothing follows the counts.
                self.progress.done = self.progress.finish.is_some();
            }
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, body: &Value, out: &mut Vec<Delta>) -> Result<(), Fault> {
        let content = body
            .pointer("/output/message/content")
            .and_then(Value::as_array)
            .ok_or(Fault::Malformed("the provider's answer has no content"))?;
        for (index, block) in (0..).zip(content) {
            match (block.get("toolUse"), block.get("reasoningContent")) {
                (Some(call), _) => {
                    let arguments = Arguments::from_json(call.get("input").or(Some(&Value::Null)));
                    self.call(index, call, arguments, out);
                }
                (None, Some(reasoning)) => {
                    let text = reasoning.get("reasoningText").unwrap_or(reasoning);
                    self.reason(index, text, reasoning, out);
                    self.close(index, out);
                }
                (None, None) => out.extend(str_at(block, "text").map(|text| Delta::Text(text.to_owned()))),
            }
        }
        self.progress.usage = body.get("usage").and_then(usage);
        self.finish(body);
        Ok(())
    }

    fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }
}

impl ConverseDecoder {
    fn delta(&mut self, index: u64, delta: &Value, out: &mut Vec<Delta>) {
        out.extend(str_at(delta, "text").map(|text| Delta::Text(text.to_owned())));
        if let Some(call) = delta.get("toolUse") {
            let arguments = Arguments::Fragment(str_at(call, "input").unwrap_or_default().to_owned());
            self.call(index, &Value::Null, arguments, out);
        }
        if let Some(reasoning) = delta.get("reasoningContent") {
            self.reason(index, reasoning, reasoning, out);
        }
    }

    fn reason(&mut self, index: u64, text: &Value, block: &Value, out: &mut Vec<Delta>) {
        if let Some(said) = str_at(text, "text") {
            out.push(Delta::Reasoning { text: said.to_owned(), signature: None });
        }
        if let Some(signature) = str_at(text, "signature") {
            self.signatures.entry(index).or_default().push_str(signature);
        }
        out.extend(str_at(block, "redactedContent").map(|data| Delta::RedactedReasoning(data.to_owned())));
    }

    fn close(&mut self, index: u64, out: &mut Vec<Delta>) {
        if let Some(signature) = self.signatures.remove(&index) {
            out.push(Delta::Reasoning { text: String::new(), signature: Some(signature) });
        }
    }

    fn call(&mut self, index: u64, call: &Value, arguments: Arguments, out: &mut Vec<Delta>) {
        let text = |key: &str| str_at(call, key).map(str::to_owned);
        let index = usize::try_from(index).ok();
        self.progress.slots.accept(Piece { index, id: text("toolUseId"), name: text("name"), arguments }, out);
    }

    fn finish(&mut self, message: &Value) {
        let Some(reason) = str_at(message, "stopReason") else {
            return;
        };
        self.progress.finish = Some(match reason {
            "end_turn" | "stop_sequence" => FinishReason::Stop,
            "tool_use" => FinishReason::ToolCalls,
            "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
            "guardrail_intervened" | "content_filtered" => FinishReason::ContentFilter,
            "refusal" => FinishReason::Refusal,
            other => FinishReason::Other(other.to_owned()),
        });
    }
}

fn usage(usage: &Value) -> Option<Usage> {
    let fresh = count_at(usage, "inputTokens")?;
    let completion_tokens = count_at(usage, "outputTokens").unwrap_or(0);
    let cached_tokens = count_at(usage, "cacheReadInputTokens");
    // As at Anthropic, what was read from or written to the cache is not counted as input.
    let cache_write_tokens = count_at(usage, "cacheWriteInputTokens");
    let prompt_tokens = fresh + cached_tokens.unwrap_or(0) + cache_write_tokens.unwrap_or(0);
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: prompt_tokens + completion_tokens,
        cached_tokens,
        cache_write_tokens,
        reasoning_tokens: None,
    })
}
