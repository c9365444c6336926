//! From a neutral request to a body for `/v1/messages`.

use serde_json::{Map, Value, json};

use super::thinking;
use crate::{
    models,
    normalize::{arguments_object, later_system, schema_instruction, system_prompt},
    request::{ChatMessage, ChatRequest, Part, ToolChoice},
    vertex,
};

/// Anthropic demands a limit. Without one from the caller it is the model's own, up to this.
const DEFAULT_MAX_TOKENS: u32 = 16_384;
/// The limit every Claude model accepts.
const SAFE_MAX_TOKENS: u32 = 4096;
/// The efforts Anthropic knows.
const EFFORTS: &[&str] = &["low", "medium", "high", "xhigh", "max"];
/// Stands in where Anthropic demands a user message and the conversation has none.
const PLACEHOLDER: &str = "Continue.";

/// The body to post to `/v1/messages`.
pub(crate) fn body(request: &ChatRequest, stream: bool) -> Value {
    compose(("model", request.model.as_str()), request, stream)
}

/// The body to post to Google, who has the model's name in the address.
pub(crate) fn vertex_body(request: &ChatRequest, stream: bool) -> Value {
    compose(("anthropic_version", vertex::ANTHROPIC_VERSION), request, stream)
}

fn compose((first, value): (&str, &str), request: &ChatRequest, stream: bool) -> Value {
    let max_tokens = request.params.max_tokens.unwrap_or(default_limit(&request.model));
    let thinking = thinking::parameter(request, max_tokens);
    let mut body = Map::new();
    body.insert(first.into(), json!(value));
    body.insert("max_tokens".into(), json!(max_tokens));
    if let Some(system) = system(request) {
        body.insert("system".into(), json!([{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]));
    }
    body.insert("messages".into(), messages(&request.messages, thinking.is_some()).into());
    tools(request, &mut body);
    let adaptive = thinking::is_adaptive(&request.model);
    if let Some(effort) =
        request.params.reasoning_effort.as_deref().filter(|effort| adaptive && EFFORTS.contains(effort))
    {
        body.insert("output_config".into(), json!({"effort": effort}));
    }
    match thinking {
        Some(thinking) => _ = body.insert("thinking".into(), thinking),
        // A temperature is refused along with thinking, and above 1 always.
        None => {
            if let Some(temperature) = request.params.temperature.filter(|_| !adaptive) {
                body.insert("temperature".into(), json!(temperature.clamp(0.0, 1.0)));
            }
        }
    }
    body.insert("stream".into(), json!(stream));
    Value::Object(body)
}

/// The token limit of a call without one.
pub(crate) fn default_limit(model: &str) -> u32 {
    models::max_output(model).unwrap_or(SAFE_MAX_TOKENS).min(DEFAULT_MAX_TOKENS)
}

fn system(request: &ChatRequest) -> Option<String> {
    let prompt = system_prompt(&request.messages).unwrap_or_default();
    let wanted = request.response_format.as_ref().and_then(schema_instruction);
    let parts: Vec<&str> = [prompt.as_ref(), wanted.as_deref().unwrap_or_default()]
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

fn tools(request: &ChatRequest, body: &mut Map<String, Value>) {
    if request.tools.is_empty() {
        return;
    }
    let tool = |tool: &crate::request::ToolSpec| json!({"name": tool.name, "description": tool.description, "input_schema": tool.schema()});
    body.insert("tools".into(), request.tools.iter().map(tool).collect());
    let mut choice = match &request.tool_choice {
        ToolChoice::Auto => json!({"type": "auto"}),
        ToolChoice::None => json!({"type": "none"}),
        ToolChoice::Required => json!({"type": "any"}),
        ToolChoice::Named(name) => json!({"type": "tool", "name": name}),
    };
    if let Some(parallel) = request.params.parallel_tool_calls.filter(|_| request.tool_choice != ToolChoice::None) {
        choice["disable_parallel_tool_use"] = json!(!parallel);
    }
    body.insert("tool_choice".into(), choice);
}

/// The conversation as turns that alternate, begin with the user's and end with it.
fn messages(messages: &[ChatMessage], with_thinking: bool) -> Vec<Value> {
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let (role, blocks) = match message {
            ChatMessage::System { text } => match later_system(messages, at, text) {
                Some(text) => ("user", vec![text_block(&text)]),
                None => continue,
            },
            ChatMessage::User { parts, .. } => ("user", parts.iter().filter_map(part).collect()),
            ChatMessage::Assistant { .. } => ("assistant", assistant(message, with_thinking)),
            ChatMessage::Tool { call_id, content, .. } => {
                ("user", vec![json!({"type": "tool_result", "tool_use_id": safe_id(call_id), "content": content})])
            }
        };
        if blocks.is_empty() {
            continue;
        }
        match turns.last_mut() {
            Some((last, existing)) if *last == role => existing.extend(blocks),
            _ => turns.push((role, blocks)),
        }
    }
    if turns.first().is_none_or(|(role, _)| *role != "user") {
        turns.insert(0, ("user", vec![text_block(PLACEHOLDER)]));
    }
    // Newer models refuse to go on with an answer that is theirs already.
    if turns.last().is_some_and(|(role, _)| *role != "user") {
        turns.push(("user", vec![text_block(PLACEHOLDER)]));
    }
    // Marks how far the conversation can be read from the cache next time.
    if let Some(Value::Object(block)) =
        turns.last_mut().filter(|(role, _)| *role == "user").and_then(|(_, b)| b.last_mut())
    {
        block.insert("cache_control".into(), json!({"type": "ephemeral"}));
    }
    turns.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect()
}

fn assistant(message: &ChatMessage, with_thinking: bool) -> Vec<Value> {
    let ChatMessage::Assistant { text, reasoning, tool_calls, .. } = message else {
        return Vec::new();
    };
    let mut blocks: Vec<Value> = Vec::new();
    if with_thinking {
        blocks.extend(reasoning.iter().filter_map(thinking::block_json));
    }
    blocks.extend(text.as_deref().filter(|text| !text.trim().is_empty()).map(text_block));
    blocks.extend(tool_calls.iter().map(|call| {
        json!({
            "type": "tool_use", "id": safe_id(&call.id), "name": call.name, "input": arguments_object(&call.arguments),
        })
    }));
    blocks
}

/// A piece of a user message. Blank text is refused by Anthropic, so it is left out.
fn part(part: &Part) -> Option<Value> {
    match part {
        Part::Text(text) => (!text.trim().is_empty()).then(|| text_block(text)),
        Part::Image { media_type, data } => {
            Some(json!({"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}))
        }
        Part::ImageUrl { url, .. } => Some(json!({"type": "image", "source": {"type": "url", "url": url}})),
    }
}

fn text_block(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// Ids of other providers may hold characters that Anthropic refuses.
fn safe_id(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
