//! From `generateContent` answers, streamed or not, to deltas.

use serde_json::Value;

use crate::{
    error::classify::Upstream,
    event::{Delta, FinishReason, Usage},
    json::{count_at, str_at},
    slots::{Arguments, Piece},
    wire::{Decoder, Fault, Progress},
};

/// Decodes one answer. Chunks of a stream look like whole answers.
#[derive(Default)]
pub(crate) struct GeminiDecoder {
    progress: Progress,
}

impl Decoder for GeminiDecoder {
    fn event(&mut self, payload: &Value, out: &mut Vec<Delta>) -> Result<(), Fault> {
        self.progress.usage = payload.get("usageMetadata").and_then(usage).or(self.progress.usage.take());
        let Some(candidate) = payload.pointer("/candidates/0") else {
            return match payload.pointer("/promptFeedback/blockReason").and_then(Value::as_str) {
                Some(reason) => Err(blocked(reason)),
                None => Ok(()),
            };
        };
        for part in candidate.pointer("/content/parts").and_then(Value::as_array).into_iter().flatten() {
            self.part(part, out);
        }
        if let Some(reason) = str_at(candidate, "finishReason") {
            self.progress.finish = Some(match reason {
                "STOP" => FinishReason::Stop,
                "MAX_TOKENS" => FinishReason::Length,
                "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "IMAGE_SAFETY" => {
                    FinishReason::ContentFilter
                }
                other => FinishReason::Other(other.to_owned()),
            });
        }
        Ok(())
    }

    fn whole(&mut self, body: &Value, out: &mut Vec<Delta>) -> Result<(), Fault> {
        // Without `alt=sse` a stream is a JSON list of its chunks.
        let chunks = body.as_array().map_or(std::slice::from_ref(body), Vec::as_slice);
        if !chunks.iter().any(|chunk| chunk.get("candidates").is_some() || chunk.get("promptFeedback").is_some()) {
            return Err(Fault::Malformed("the provider's answer has no candidates"));
        }
        chunks.iter().try_for_each(|chunk| self.event(chunk, out))
    }

    fn progress(&mut self) -> &mut Progress {
        &mut self.progress
    }
}

impl GeminiDecoder {
    fn part(&mut self, part: &Value, out: &mut Vec<Delta>) {
        let thought = part.get("thought").and_then(Value::as_bool) == Some(true);
        if let Some(text) = str_at(part, "text").map(str::to_owned) {
            out.push(if thought { Delta::Reasoning { text, signature: None } } else { Delta::Text(text) });
        }
        if let Some(signature) = str_at(part, "thoughtSignature") {
            out.push(Delta::Reasoning { text: String::new(), signature: Some(signature.to_owned()) });
        }
        if let Some(call) = part.get("functionCall") {
            let arguments = match call.get("args") {
                Some(args @ Value::Object(_)) => Arguments::Whole(args.to_string()),
                _ => Arguments::Whole("{}".to_owned()),
            };
            let text = |key: &str| str_at(call, key).map(str::to_owned);
            let piece = Piece { index: None, id: text("id"), name: text("name"), arguments };
            self.progress.slots.accept(piece, out);
        }
    }
}

fn blocked(reason: &str) -> Fault {
    Fault::Upstream(Upstream {
        status: 400,
        message: format!("the provider blocked the prompt: {reason}"),
        codes: "prohibited_content".to_owned(),
        ..Upstream::default()
    })
}

fn usage(usage: &Value) -> Option<Usage> {
    let prompt_tokens = count_at(usage, "promptTokenCount")?;
    let thoughts = count_at(usage, "thoughtsTokenCount");
    let completion_tokens = count_at(usage, "candidatesTokenCount").unwrap_or(0) + thoughts.unwrap_or(0);
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: count_at(usage, "totalTokenCount").unwrap_or(prompt_tokens + completion_tokens),
        cached_tokens: count_at(usage, "cachedContentTokenCount"),
        cache_write_tokens: None,
        reasoning_tokens: thoughts,
    })
}
