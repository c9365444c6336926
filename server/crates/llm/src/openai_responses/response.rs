//! From Responses answers, streamed or not, to deltas.

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    error::classify::Upstream,
    event::{Delta, FinishReason, Usage},
    json::{count_at, str_at, u64_at},
    slots::{Arguments, Piece},
    wire::{Decoder, Fault, Progress},
};

/// Decodes one response.
#[derive(Default)]
pub(crate) struct ResponsesDecoder {
    progress: Progress,
    /// Output items of which deltas have been seen, so that their final copy adds nothing.
    streamed: HashSet<u64>,
}

impl Decoder for ResponsesDecoder {
    fn event(&mut self, payload: &Value, out: &mut Vec<Delta>) -> Result<(), Fault> {
        let index = payload.get("output_index").and_then(Value::as_u64).unwrap_or(0);
        let delta = str_at(payload, "delta");
        match str_at(payload, "type").unwrap_or_default() {
            "response.output_text.delta" => self.text(index, delta, out),
            "response.refusal.delta" => {
                self.progress.refused = true;
                self.text(index, delta, out);
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                self.streamed.insert(index);
                out.extend(delta.map(reasoning));
            }
            // The parts of a summary are paragraphs.
            "response.reasoning_summary_part.added" if u64_at(payload, "summary_index").unwrap_or(0) > 0 => {
                out.push(reasoning("\n\n"));
            }
            "response.output_item.added" => {
                if let Some(item) = payload.get("item").filter(|item| str_at(item, "type") == Some("function_call")) {
                    self.call(index, item, Arguments::Absent, out);
                }
            }
            "response.function_call_arguments.delta" => {
                self.streamed.insert(index);
                let arguments = Arguments::Fragment(delta.unwrap_or_default().to_owned());
                self.call(index, &Value::Null, arguments, out);
            }
            "response.output_item.done" => {
                if let Some(item) = payload.get("item") {
                    self.item(index, item, out);
                }
            }
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
                let response = payload.get("response").unwrap_or(payload);
                self.end(response)?;
                self.progress.done = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, body: &Value, out: &mut Vec<Delta>) -> Result<(), Fault> {
        let output = body
            .get("output")
            .and_then(Value::as_array)
            .ok_or(Fault::Malformed("the provider's answer has no output"))?;
        self.end(body)?;
        for (index, item) in output.iter().enumerate() {
            self.item(index as u64, item, out);
        }
        Ok(())
    }

    fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }
}

impl ResponsesDecoder {
    fn text(&mut self, index: u64, delta: Option<&str>, out: &mut Vec<Delta>) {
        self.streamed.insert(index);
        out.extend(delta.map(|text| Delta::Text(text.to_owned())));
    }

    fn call(&mut self, index: u64, item: &Value, arguments: Arguments, out: &mut Vec<Delta>) {
        let text = |key: &str| str_at(item, key).map(str::to_owned);
        let index = usize::try_from(index).ok();
        self.progress.slots.accept(Piece { index, id: text("call_id"), name: text("name"), arguments }, out);
    }

    /// A finished output item: what its deltas did not say already.
    fn item(&mut self, index: u64, item: &Value, out: &mut Vec<Delta>) {
        let fresh = !self.streamed.contains(&index);
        match str_at(item, "type") {
            Some("reasoning") => {
                let text = if fresh { summary(item) } else { String::new() };
                let signature = str_at(item, "encrypted_content").map(str::to_owned);
                if !text.is_empty() || signature.is_some() {
                    out.push(Delta::Reasoning { text, signature });
                }
            }
            Some("message") if fresh => {
                for part in item.get("content").and_then(Value::as_array).into_iter().flatten() {
                    if let Some(text) = str_at(part, "text") {
                        out.push(Delta::Text(text.to_owned()));
                    }
                    if let Some(refusal) = str_at(part, "refusal") {
                        self.progress.refused = true;
                        out.push(Delta::Text(refusal.to_owned()));
                    }
                }
            }
            Some("function_call") if fresh => {
                let arguments = Arguments::from_json(item.get("arguments"));
                self.call(index, item, arguments, out);
            }
            _ => {}
        }
    }

    fn end(&mut self, response: &Value) -> Result<(), Fault> {
        let status = str_at(response, "status").unwrap_or("completed");
        if status == "failed" {
            let error = response.get("error").unwrap_or(response);
            return Err(Fault::Upstream(Upstream::from_value(None, error)));
        }
        let reason = response.pointer("/incomplete_details/reason").and_then(Value::as_str);
        self.progress.finish = Some(match (status, reason) {
            (_, Some("max_output_tokens")) => FinishReason::Length,
            (_, Some("content_filter")) => FinishReason::ContentFilter,
            ("completed", _) => FinishReason::Stop,
            (status, reason) => FinishReason::Other(reason.unwrap_or(status).to_owned()),
        });
        self.progress.usage = response.get("usage").and_then(usage);
        Ok(())
    }
}

fn reasoning(text: &str) -> Delta {
    Delta::Reasoning { text: text.to_owned(), signature: None }
}

/// The paragraphs of a reasoning item: its summary, or the reasoning itself where a server shows that.
fn summary(item: &Value) -> String {
    let texts = |key: &str| -> Vec<&str> {
        item.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(|part| str_at(part, "text")).collect()
    };
    let summary = texts("summary");
    if summary.is_empty() { texts("content").join("\n\n") } else { summary.join("\n\n") }
}

fn usage(usage: &Value) -> Option<Usage> {
    let prompt_tokens = count_at(usage, "input_tokens")?;
    let completion_tokens = count_at(usage, "output_tokens")?;
    let detail = |group: &str, key: &str| usage.get(group).and_then(|group| count_at(group, key));
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: count_at(usage, "total_tokens").unwrap_or(prompt_tokens + completion_tokens),
        cached_tokens: detail("input_tokens_details", "cached_tokens"),
        cache_write_tokens: None,
        reasoning_tokens: detail("output_tokens_details", "reasoning_tokens"),
    })
}
