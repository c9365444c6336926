//! What the imitators of chat completions do differently from OpenAI, put right in the body.

use serde_json::{Map, Value, json};

use super::details;
use crate::{
    call_names,
    kinds::ProviderKind,
    models,
    normalize::schema_instruction,
    request::{ChatMessage, ChatRequest, ToolChoice},
};

/// Stands in where a provider demands that the user has the last word.
const PLACEHOLDER: &str = "Continue.";
/// Mistral takes ids of exactly this many letters and digits.
const MISTRAL_ID: usize = 9;

/// Changes a body in OpenAI's shape into what the provider takes.
pub(super) fn adapt(kind: ProviderKind, request: &ChatRequest, body: &mut Map<String, Value>) {
    match kind {
        ProviderKind::Mistral => mistral(request, body),
        ProviderKind::Groq => groq(request, body),
        ProviderKind::Xai => xai(request, body),
        ProviderKind::Cerebras => cerebras(request, body),
        ProviderKind::DeepSeek => deepseek(request, body),
        ProviderKind::Together | ProviderKind::HuggingFace => effort_only(request, body, &["gpt-oss"]),
        ProviderKind::OpenRouter => openrouter(request, body),
        ProviderKind::OpenAi => {
            if let Some(key) = &request.cache_key {
                body.insert("prompt_cache_key".into(), json!(key));
            }
        }
        _ => {}
    }
}

/// Leaves the effort to the families that know it.
fn effort_only(request: &ChatRequest, body: &mut Map<String, Value>, families: &[&str]) {
    let model = request.model.to_lowercase();
    if !families.iter().any(|family| model.contains(family)) {
        body.shift_remove("reasoning_effort");
    }
}

/// Mistral refuses fields that it does not know, ids in other forms, instructions in the middle, and an answer at the
/// end.
fn mistral(request: &ChatRequest, body: &mut Map<String, Value>) {
    for unknown in ["stream_options", "reasoning_effort", "verbosity", "logprobs", "top_logprobs"] {
        body.shift_remove(unknown);
    }
    if request.tool_choice == ToolChoice::Required && body.contains_key("tool_choice") {
        body.insert("tool_choice".into(), json!("any"));
    }
    let Some(messages) = body.get_mut("messages").and_then(Value::as_array_mut) else { return };
    if messages.last().is_some_and(|message| message["role"] == "assistant") {
        messages.push(json!({"role": "user", "content": PLACEHOLDER}));
    }
    let mut led = true;
    for message in messages {
        led &= message["role"] == "system";
        if let Some(fields) = message.as_object_mut() {
            fields.shift_remove("name");
        }
        if message["role"] == "system" && !led {
            message["role"] = json!("user");
            message["content"] =
                json!(format!("<system>\n{}\n</system>", message["content"].as_str().unwrap_or_default()));
        }
        if let Some(id) = message.get("tool_call_id").and_then(Value::as_str).map(mistral_id) {
            message["tool_call_id"] = json!(id);
        }
        for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
            call["id"] = json!(mistral_id(call["id"].as_str().unwrap_or_default()));
        }
    }
}

/// The id itself when it fits, else nine characters that are the same for the same id.
fn mistral_id(id: &str) -> String {
    if id.len() == MISTRAL_ID && id.chars().all(|c| c.is_ascii_alphanumeric()) {
        return id.to_owned();
    }
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let hash = call_names::hash(id);
    let digit = |place: u32| char::from(DIGITS[((hash / 36_u64.pow(place)) % 36) as usize]);
    (0..MISTRAL_ID as u32).map(digit).collect()
}

/// Groq shows the reasoning of some models only when asked to.
fn groq(request: &ChatRequest, body: &mut Map<String, Value>) {
    effort_only(request, body, &["gpt-oss"]);
    let model = request.model.to_lowercase();
    if ["qwen3", "qwq", "deepseek-r1"].iter().any(|family| model.contains(family)) {
        let format = if request.params.enable_reasoner { "parsed" } else { "hidden" };
        body.insert("reasoning_format".into(), json!(format));
    }
}

/// Only the small model of xAI can be told how hard to think, in two words; models that think take no penalties.
fn xai(request: &ChatRequest, body: &mut Map<String, Value>) {
    match body.shift_remove("reasoning_effort").as_ref().and_then(Value::as_str) {
        Some(effort) if request.model.contains("mini") => {
            let word = if matches!(effort, "high" | "xhigh" | "medium") { "high" } else { "low" };
            body.insert("reasoning_effort".into(), json!(word));
        }
        _ => {}
    }
    if models::reasons(&request.model) {
        body.shift_remove("frequency_penalty");
    }
}

fn cerebras(request: &ChatRequest, body: &mut Map<String, Value>) {
    effort_only(request, body, &["gpt-oss"]);
    body.shift_remove("frequency_penalty");
    if let Some(limit) = body.shift_remove("max_tokens") {
        body.insert("max_completion_tokens".into(), limit);
    }
}

/// DeepSeek takes text alone, no schemas, and wants the reasoning back while the calls of a turn go on.
fn deepseek(request: &ChatRequest, body: &mut Map<String, Value>) {
    for unknown in ["reasoning_effort", "parallel_tool_calls"] {
        body.shift_remove(unknown);
    }
    let wanted = request.response_format.as_ref().and_then(schema_instruction);
    if wanted.is_some() {
        body.insert("response_format".into(), json!({"type": "json_object"}));
    }
    let turn = request.messages.iter().rposition(|message| matches!(message, ChatMessage::User { .. }));
    let Some(messages) = body.get_mut("messages").and_then(Value::as_array_mut) else { return };
    for (at, message) in messages.iter_mut().enumerate() {
        if let Some(parts) = message["content"].as_array() {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
            message["content"] = json!(texts.join("\n"));
        }
        if let Some(ChatMessage::Assistant { reasoning, tool_calls, .. }) = request.messages.get(at)
            && !tool_calls.is_empty()
            && turn.is_none_or(|turn| at > turn)
        {
            let thoughts: Vec<&str> = reasoning.iter().map(|block| block.text.as_str()).collect();
            if !thoughts.is_empty() {
                message["reasoning_content"] = json!(thoughts.concat());
            }
        }
    }
    if let Some(wanted) = wanted {
        messages.insert(0, json!({"role": "system", "content": wanted}));
    }
}

/// OpenRouter has one parameter for everybody's reasoning, wants back what came of it, and passes marks for the cache on
/// to Claude.
fn openrouter(request: &ChatRequest, body: &mut Map<String, Value>) {
    let params = &request.params;
    if params.max_reasoning_tokens > 0 && params.enable_reasoner {
        body.shift_remove("reasoning_effort");
        body.insert("reasoning".into(), json!({"max_tokens": params.max_reasoning_tokens}));
    }
    let Some(messages) = body.get_mut("messages").and_then(Value::as_array_mut) else { return };
    for (message, told) in messages.iter_mut().zip(&request.messages) {
        if let ChatMessage::Assistant { reasoning, .. } = told {
            let details = details::of(reasoning);
            if !details.is_empty() {
                message["reasoning_details"] = details.into();
            }
        }
    }
    if models::claude_version(&request.model).is_none() {
        return;
    }
    let system = messages.iter_mut().find(|message| message["role"] == "system");
    if let Some(system) = system {
        let text = system["content"].take();
        system["content"] = json!([{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistrals_ids_are_short_and_stay_apart() {
        assert_eq!(mistral_id("a1B2c3D4e"), "a1B2c3D4e");
        let (one, two) = (mistral_id("call_1"), mistral_id("call_2"));
        assert_ne!(one, two);
        assert_eq!(one, mistral_id("call_1"));
        assert!(one.len() == MISTRAL_ID && one.chars().all(|c| c.is_ascii_alphanumeric()), "{one}");
    }
}
