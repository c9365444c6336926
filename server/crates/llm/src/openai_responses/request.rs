//! From a neutral request to a body for `/responses`. Nothing is stored at OpenAI: reasoning travels encrypted.

use serde_json::{Map, Value, json};

use crate::{
    models::is_gpt5,
    request::{ChatMessage, ChatRequest, Part, Reasoning, ToolChoice, ToolSpec},
};

/// The body to post to `/responses`.
pub(crate) fn body(request: &ChatRequest, stream: bool) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), json!(request.model));
    body.insert("input".into(), request.messages.iter().flat_map(items).collect());
    if !request.tools.is_empty() {
        body.insert("tools".into(), request.tools.iter().map(tool).collect());
        body.insert("tool_choice".into(), tool_choice(&request.tool_choice));
        if let Some(parallel) = request.params.parallel_tool_calls {
            body.insert("parallel_tool_calls".into(), json!(parallel));
        }
    }
    if let Some(limit) = request.params.max_tokens {
        body.insert("max_output_tokens".into(), json!(limit));
    }
    let mut reasoning = Map::new();
    if request.params.enable_reasoner {
        reasoning.insert("summary".into(), json!("auto"));
    }
    if let Some(effort) = &request.params.reasoning_effort {
        reasoning.insert("effort".into(), json!(effort));
    }
    if !reasoning.is_empty() {
        body.insert("reasoning".into(), Value::Object(reasoning));
    }
    let mut text = Map::new();
    if let Some(format) = &request.response_format {
        text.insert("format".into(), flat_format(format));
    }
    if let Some(verbosity) = request.params.verbosity.as_ref().filter(|_| is_gpt5(&request.model)) {
        text.insert("verbosity".into(), json!(verbosity));
    }
    if !text.is_empty() {
        body.insert("text".into(), Value::Object(text));
    }
    if let Some(key) = &request.cache_key {
        body.insert("prompt_cache_key".into(), json!(key));
    }
    body.insert("store".into(), json!(false));
    // These models always reason. Who wants to see nothing of it is sent nothing of it.
    if request.params.enable_reasoner {
        body.insert("include".into(), json!(["reasoning.encrypted_content"]));
    }
    body.insert("stream".into(), json!(stream));
    Value::Object(body)
}

/// One message makes several items: each reasoning block, the text, and each tool call.
fn items(message: &ChatMessage) -> Vec<Value> {
    match message {
        ChatMessage::System { text } => vec![json!({"role": "system", "content": text})],
        ChatMessage::User { parts, .. } => vec![json!({"role": "user", "content": content(parts)})],
        ChatMessage::Assistant { text, reasoning, tool_calls, .. } => {
            let mut items: Vec<Value> = reasoning.iter().filter_map(reasoning_item).collect();
            if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
                items.push(json!({"role": "assistant", "content": text}));
            }
            items.extend(tool_calls.iter().map(|call| {
                json!({
                    "type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments,
                })
            }));
            items
        }
        ChatMessage::Tool { call_id, content, .. } => {
            vec![json!({"type": "function_call_output", "call_id": call_id, "output": content})]
        }
    }
}

/// Reasoning can only be given back with its encrypted original.
fn reasoning_item(block: &Reasoning) -> Option<Value> {
    let encrypted = block.signature.as_ref()?;
    let summary = match block.text.as_str() {
        "" => json!([]),
        text => json!([{"type": "summary_text", "text": text}]),
    };
    Some(json!({"type": "reasoning", "summary": summary, "encrypted_content": encrypted}))
}

fn content(parts: &[Part]) -> Value {
    match parts {
        [] => json!(""),
        [Part::Text(text)] => json!(text),
        parts => parts.iter().map(part).collect(),
    }
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({"type": "input_text", "text": text}),
        Part::Image { media_type, data } => {
            json!({"type": "input_image", "image_url": format!("data:{media_type};base64,{data}")})
        }
        Part::ImageUrl { url, detail: Some(detail) } => {
            json!({"type": "input_image", "image_url": url, "detail": detail})
        }
        Part::ImageUrl { url, detail: None } => json!({"type": "input_image", "image_url": url}),
    }
}

fn tool(tool: &ToolSpec) -> Value {
    json!({
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.schema(),
        // Strict mode would demand that every schema list all of its properties as required.
        "strict": false,
    })
}

fn tool_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Named(name) => json!({"type": "function", "name": name}),
    }
}

/// The format without the level that chat completions put around a schema.
fn flat_format(format: &Value) -> Value {
    let Some(Value::Object(schema)) = format.get("json_schema") else {
        return format.clone();
    };
    let mut flat = Map::new();
    flat.insert("type".into(), json!("json_schema"));
    flat.extend(schema.clone());
    Value::Object(flat)
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
