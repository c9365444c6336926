//! From chat-completions answers, streamed or not, to deltas.

use serde_json::Value;

use super::{details::Details, think::ThinkSplitter};
use crate::{
    error::classify::Upstream,
    event::{Delta, FinishReason, Usage},
    json::{count_at, str_at, text},
    slots::{Arguments, Piece},
    wire::{Decoder, Fault, Progress},
};

/// Decodes one chat completion.
#[derive(Default)]
pub(crate) struct ChatDecoder {
    progress: Progress,
    think: ThinkSplitter,
    details: Details,
}

impl Decoder for ChatDecoder {
    fn event(&mut self, payload: &Value, out: &mut Vec<Delta>) -> Result<(), Fault> {
        if let Some(usage) = usage(payload) {
            self.progress.usage = Some(usage);
        }
        let Some(choice) = payload.pointer("/choices/0") else {
            return Ok(());
        };
        check(choice)?;
        if let Some(delta) = choice.get("delta").or_else(|| choice.get("message")) {
            self.message(delta, false, out);
        }
        self.finish(choice, out);
        Ok(())
    }

    fn whole(&mut self, body: &Value, out: &mut Vec<Delta>) -> Result<(), Fault> {
        let choice = body.pointer("/choices/0").ok_or(Fault::Malformed("the provider's answer has no choices"))?;
        check(choice)?;
        let message = choice.get("message").ok_or(Fault::Malformed("the provider's answer has no message"))?;
        self.progress.usage = usage(body);
        self.message(message, true, out);
        self.finish(choice, out);
        self.sign(out);
        self.think.flush(out);
        Ok(())
    }

    fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }
}

impl ChatDecoder {
    fn message(&mut self, message: &Value, whole: bool, out: &mut Vec<Delta>) {
        // Some servers send the same reasoning under both names, so the first that has something counts.
        let reasoning = ["reasoning_content", "reasoning", "thinking"].iter().find_map(|key| str_at(message, key));
        if let Some(text) = reasoning {
            out.push(Delta::Reasoning { text: text.to_owned(), signature: None });
        }
        self.details.add(message, whole);
        let empty = |key: &str| match message.get(key) {
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Array(list)) => list.is_empty(),
            _ => true,
        };
        // The model has thought when it speaks or calls.
        if !empty("content") || !empty("tool_calls") {
            self.sign(out);
        }
        match message.get("content") {
            Some(Value::String(text)) => self.think.push(text, out),
            Some(Value::Array(parts)) => parts.iter().for_each(|part| self.part(part, out)),
            _ => {}
        }
        if let Some(refusal) = str_at(message, "refusal") {
            self.progress.refused = true;
            out.push(Delta::Text(refusal.to_owned()));
        }
        let calls = message.get("tool_calls").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (position, call) in calls.iter().enumerate() {
            let sent = call.get("index").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
            // A few servers leave out the level between the call and its name.
            let function = call.get("function").unwrap_or(call);
            let id = call.get("id").and_then(text);
            self.call(id, function, if whole { Some(position) } else { sent }, out);
        }
        if let Some(function @ Value::Object(_)) = message.get("function_call") {
            self.call(None, function, Some(0), out);
        }
    }

    /// Closes the reasoning so far with the details that came with it.
    fn sign(&mut self, out: &mut Vec<Delta>) {
        if let Some(signature) = self.details.take() {
            out.push(Delta::Reasoning { text: String::new(), signature: Some(signature) });
        }
    }

    fn part(&mut self, part: &Value, out: &mut Vec<Delta>) {
        if str_at(part, "type") == Some("thinking") {
            let inner = part.get("thinking");
            let list = inner.and_then(Value::as_array).into_iter().flatten();
            let texts = inner.and_then(Value::as_str).into_iter().chain(list.filter_map(|p| str_at(p, "text")));
            out.extend(texts.map(|text| Delta::Reasoning { text: text.to_owned(), signature: None }));
        } else if let Some(text) = part.as_str().or_else(|| str_at(part, "text")) {
            self.think.push(text, out);
        }
    }

    fn call(&mut self, id: Option<String>, function: &Value, index: Option<usize>, out: &mut Vec<Delta>) {
        self.think.flush(out);
        let name = str_at(function, "name").map(str::to_owned);
        let arguments = Arguments::from_json(function.get("arguments"));
        self.progress.slots.accept(Piece { index, id, name, arguments }, out);
    }

    fn finish(&mut self, choice: &Value, out: &mut Vec<Delta>) {
        let Some(reason) = str_at(choice, "finish_reason") else {
            return;
        };
        self.sign(out);
        self.think.flush(out);
        self.progress.finish = Some(match reason {
            "stop" | "eos" | "end_turn" | "stop_sequence" => FinishReason::Stop,
            "tool_calls" | "function_call" | "tool_use" => FinishReason::ToolCalls,
            "length" | "max_tokens" | "model_length" => FinishReason::Length,
            "content_filter" | "safety" => FinishReason::ContentFilter,
            "refusal" => FinishReason::Refusal,
            other => FinishReason::Other(other.to_owned()),
        });
    }
}

/// Whether a choice is an answer. OpenRouter tells of what broke behind it in the choice, under a good status.
fn check(choice: &Value) -> Result<(), Fault> {
    let error = choice.get("error").filter(|error| error.is_object() || error.is_string());
    match error {
        Some(error) => Err(Fault::Upstream(Upstream::from_value(None, error))),
        None if str_at(choice, "finish_reason") == Some("error") => Err(Fault::Upstream(Upstream {
            status: 502,
            message: "the provider ended the answer with an error".to_owned(),
            ..Upstream::default()
        })),
        None => Ok(()),
    }
}

/// The usage in a body or chunk; `None` when it is absent, or all zeros as some servers send it.
pub(crate) fn usage(payload: &Value) -> Option<Usage> {
    let found = payload.get("usage").filter(|usage| usage.is_object()).or_else(|| payload.pointer("/x_groq/usage"))?;
    let prompt_tokens = count_at(found, "prompt_tokens").unwrap_or(0);
    let completion_tokens = count_at(found, "completion_tokens").unwrap_or(0);
    if prompt_tokens == 0 && completion_tokens == 0 {
        return None;
    }
    let detail = |group: &str, key: &str| found.get(group).and_then(|group| count_at(group, key));
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: count_at(found, "total_tokens").filter(|n| *n > 0).unwrap_or(prompt_tokens + completion_tokens),
        cached_tokens: detail("prompt_tokens_details", "cached_tokens")
            .or_else(|| count_at(found, "prompt_cache_hit_tokens")),
        cache_write_tokens: detail("prompt_tokens_details", "cache_write_tokens"),
        reasoning_tokens: detail("completion_tokens_details", "reasoning_tokens"),
    })
}

#[cfg(test)]
#[path = "response_tests.rs"]
mod tests;
