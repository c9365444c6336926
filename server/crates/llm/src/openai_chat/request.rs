//! From a neutral request to a chat-completions body.

use serde_json::{Map, Value, json};

use super::vendor;
use crate::{
    kinds::ProviderKind,
    models::{is_gpt5, is_openai_reasoning},
    request::{ChatMessage, ChatRequest, Part, ToolChoice, ToolSpec},
};

/// The body to post to `/chat/completions`.
pub(crate) fn body(kind: ProviderKind, request: &ChatRequest, stream: bool) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), json!(request.model));
    body.insert("messages".into(), request.messages.iter().map(message).collect());
    tools(kind, request, &mut body);
    params(kind, request, &mut body);
    if let Some(format) = &request.response_format {
        body.insert("response_format".into(), format.clone());
    }
    if let Some(others) = request.logprobs.filter(|_| !stream) {
        body.insert("logprobs".into(), json!(true));
        if others > 0 {
            body.insert("top_logprobs".into(), json!(others));
        }
    }
    body.insert("stream".into(), json!(stream));
    if stream {
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    vendor::adapt(kind, request, &mut body);
    Value::Object(body)
}

fn params(kind: ProviderKind, request: &ChatRequest, body: &mut Map<String, Value>) {
    let params = &request.params;
    let reasoning = is_openai_reasoning(&request.model);
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(key.into(), value);
        }
    };
    set(if reasoning { "max_completion_tokens" } else { "max_tokens" }, params.max_tokens.map(Value::from));
    // OpenAI refuses the effort for models that do not reason; other servers have reasoning models of any name.
    let effort = params.reasoning_effort.as_ref().filter(|_| reasoning || kind != ProviderKind::OpenAi);
    set("reasoning_effort", effort.map(|effort| json!(effort)));
    set("verbosity", params.verbosity.as_ref().filter(|_| is_gpt5(&request.model)).map(|v| json!(v)));
    if !reasoning {
        set("temperature", params.temperature.map(Value::from));
        set("frequency_penalty", params.frequency_penalty.map(Value::from));
    }
}

fn tools(kind: ProviderKind, request: &ChatRequest, body: &mut Map<String, Value>) {
    if request.tools.is_empty() {
        return;
    }
    // LM Studio and llama.cpp know the words only, so the one tool to call becomes the one tool there is.
    let words_only = matches!(kind, ProviderKind::LmStudio | ProviderKind::LlamaCpp);
    let only = match &request.tool_choice {
        ToolChoice::Named(name) if words_only => request.tools.iter().find(|tool| tool.name == *name),
        _ => None,
    };
    let offered: Vec<Value> = match only {
        Some(tool) => vec![function(tool)],
        None => request.tools.iter().map(function).collect(),
    };
    body.insert("tools".into(), offered.into());
    let choice = match &request.tool_choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Named(_) if words_only => json!("required"),
        ToolChoice::Named(name) => json!({"type": "function", "function": {"name": name}}),
    };
    body.insert("tool_choice".into(), choice);
    if let Some(parallel) = request.params.parallel_tool_calls {
        body.insert("parallel_tool_calls".into(), json!(parallel));
    }
}

fn function(tool: &ToolSpec) -> Value {
    json!({
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.schema()},
    })
}

fn message(message: &ChatMessage) -> Value {
    match message {
        ChatMessage::System { text } => json!({"role": "system", "content": text}),
        ChatMessage::User { parts, name } => named(json!({"role": "user", "content": content(parts)}), name.as_deref()),
        ChatMessage::Assistant { text, tool_calls, name, .. } => {
            let mut value = json!({"role": "assistant", "content": text});
            if !tool_calls.is_empty() {
                let call = |call: &crate::request::ToolCall| {
                    json!({
                        "id": call.id,
                        "type": "function",
                        "function": {"name": call.name, "arguments": call.arguments},
                    })
                };
                value["tool_calls"] = tool_calls.iter().map(call).collect();
            }
            named(value, name.as_deref())
        }
        ChatMessage::Tool { call_id, content, .. } => {
            json!({"role": "tool", "tool_call_id": call_id, "content": content})
        }
    }
}

/// Plain text as a string, which every server takes; anything else as parts.
fn content(parts: &[Part]) -> Value {
    match parts {
        [] => json!(""),
        [Part::Text(text)] => json!(text),
        parts => parts.iter().map(part).collect(),
    }
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image { media_type, data } => {
            json!({"type": "image_url", "image_url": {"url": format!("data:{media_type};base64,{data}")}})
        }
        Part::ImageUrl { url, detail: Some(detail) } => {
            json!({"type": "image_url", "image_url": {"url": url, "detail": detail}})
        }
        Part::ImageUrl { url, detail: None } => {
            json!({"type": "image_url", "image_url": {"url": url}})
        }
    }
}

/// Adds the speaker's name, reduced to what OpenAI accepts: at most 64 letters, digits, `_` and `-`.
fn named(mut message: Value, name: Option<&str>) -> Value {
    let allowed = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }
    };
    let name: String = name.unwrap_or_default().trim().chars().map(allowed).take(64).collect();
    if !name.is_empty() {
        message["name"] = json!(name);
    }
    message
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
