//! From a neutral request to a body for `converse` and `converse-stream`.

use serde_json::{Map, Value, json};

use crate::{
    anthropic,
    models::claude_version,
    normalize::{arguments_object, later_system, schema_instruction, system_prompt},
    request::{ChatMessage, ChatRequest, Part, Reasoning, ToolChoice, ToolSpec},
};

/// Stands in where Bedrock demands a user message and the conversation has none.
const PLACEHOLDER: &str = "Continue.";

/// The body to post, the same for streamed and whole answers.
pub(crate) fn body(request: &ChatRequest) -> Value {
    let caches = caches(&request.model);
    let claude = claude_version(&request.model).is_some();
    let limit = request.params.max_tokens;
    // Thinking is a part of the token limit, so a limit there has to be.
    let thinking = if claude {
        anthropic::thinking(request, limit.unwrap_or(anthropic::default_limit(&request.model)))
    } else {
        None
    };
    let mut body = Map::new();
    body.insert("messages".into(), messages(request, thinking.is_some(), caches).into());
    if let Some(system) = system(request) {
        let mut blocks = vec![json!({ "text": system })];
        blocks.extend(caches.then(cache_point));
        body.insert("system".into(), blocks.into());
    }
    let mut inference = Map::new();
    if let Some(limit) = limit.or_else(|| claude.then(|| anthropic::default_limit(&request.model))) {
        inference.insert("maxTokens".into(), json!(limit));
    }
    if let Some(temperature) =
        request.params.temperature.filter(|_| thinking.is_none() && !anthropic::is_adaptive(&request.model))
    {
        inference.insert("temperature".into(), json!(temperature.clamp(0.0, 1.0)));
    }
    if !inference.is_empty() {
        body.insert("inferenceConfig".into(), Value::Object(inference));
    }
    if let Some(config) = tool_config(request, caches) {
        body.insert("toolConfig".into(), config);
    }
    if let Some(thinking) = thinking {
        body.insert("additionalModelRequestFields".into(), json!({ "thinking": thinking }));
    }
    Value::Object(body)
}

/// Whether the model can read a prompt from its cache; others refuse the mark.
fn caches(model: &str) -> bool {
    model.contains("amazon.nova") || claude_version(model).is_some_and(|version| version >= (3, 7))
}

fn cache_point() -> Value {
    json!({"cachePoint": {"type": "default"}})
}

fn system(request: &ChatRequest) -> Option<String> {
    let prompt = system_prompt(&request.messages).unwrap_or_default();
    let wanted = request.response_format.as_ref().and_then(schema_instruction);
    let parts = [prompt.as_ref(), wanted.as_deref().unwrap_or_default()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.trim().is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// The tools on offer. Bedrock refuses a history with calls when there are none, so then those that were called are
/// named.
fn tool_config(request: &ChatRequest, caches: bool) -> Option<Value> {
    let spec = |name: &str, description: &str, schema: Value| {
        let description = if description.trim().is_empty() { name } else { description };
        json!({"toolSpec": {"name": name, "description": description, "inputSchema": {"json": schema}}})
    };
    if request.tools.is_empty() {
        let mut called: Vec<&str> = Vec::new();
        for message in &request.messages {
            if let ChatMessage::Assistant { tool_calls, .. } = message {
                called.extend(tool_calls.iter().map(|call| call.name.as_str()));
            }
        }
        called.sort_unstable();
        called.dedup();
        let past = |name: &&str| spec(name, "No longer available.", json!({"type": "object", "properties": {}}));
        return (!called.is_empty()).then(|| json!({"tools": called.iter().map(past).collect::<Vec<_>>()}));
    }
    let mut tools: Vec<Value> =
        request.tools.iter().map(|tool: &ToolSpec| spec(&tool.name, &tool.description, tool.schema())).collect();
    if caches && claude_version(&request.model).is_some() {
        tools.push(cache_point());
    }
    let mut config = json!({ "tools": tools });
    match &request.tool_choice {
        ToolChoice::Auto => config["toolChoice"] = json!({"auto": {}}),
        ToolChoice::Required => config["toolChoice"] = json!({"any": {}}),
        ToolChoice::Named(name) => config["toolChoice"] = json!({"tool": {"name": name}}),
        // There is no way to forbid calls; the caller drops those that come all the same.
        ToolChoice::None => {}
    }
    Some(config)
}

/// The conversation as turns that alternate, begin with the user's and end with it.
fn messages(request: &ChatRequest, with_thinking: bool, caches: bool) -> Vec<Value> {
    let messages = &request.messages;
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let (role, blocks) = match message {
            ChatMessage::System { text } => match later_system(messages, at, text) {
                Some(text) => ("user", vec![json!({ "text": text })]),
                None => continue,
            },
            ChatMessage::User { parts, .. } => ("user", parts.iter().filter_map(part).collect()),
            ChatMessage::Assistant { .. } => ("assistant", assistant(message, with_thinking)),
            ChatMessage::Tool { call_id, content, .. } => {
                let text = if content.trim().is_empty() { "(empty)" } else { content };
                let result = json!({"toolUseId": safe_id(call_id), "content": [{"text": text}]});
                ("user", vec![json!({ "toolResult": result })])
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
        turns.insert(0, ("user", vec![json!({"text": PLACEHOLDER})]));
    }
    // Most models refuse to go on with an answer that is theirs already.
    if turns.last().is_some_and(|(role, _)| *role != "user") {
        turns.push(("user", vec![json!({"text": PLACEHOLDER})]));
    }
    // Marks how far the conversation can be read from the cache next time.
    if let Some((_, blocks)) = turns.last_mut().filter(|(role, _)| caches && *role == "user") {
        blocks.push(cache_point());
    }
    turns.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect()
}

fn assistant(message: &ChatMessage, with_thinking: bool) -> Vec<Value> {
    let ChatMessage::Assistant { text, reasoning, tool_calls, .. } = message else {
        return Vec::new();
    };
    let mut blocks: Vec<Value> = Vec::new();
    if with_thinking {
        blocks.extend(reasoning.iter().filter_map(reasoning_block));
    }
    blocks.extend(text.iter().filter(|text| !text.trim().is_empty()).map(|text| json!({ "text": text })));
    blocks.extend(tool_calls.iter().map(|call| {
        let input = arguments_object(&call.arguments);
        json!({"toolUse": {"toolUseId": safe_id(&call.id), "name": call.name, "input": input}})
    }));
    blocks
}

/// A block to send back; `None` for one that the model could not verify.
fn reasoning_block(block: &Reasoning) -> Option<Value> {
    let content = match (&block.redacted, &block.signature) {
        (Some(data), _) => json!({ "redactedContent": data }),
        (None, Some(signature)) => json!({"reasoningText": {"text": block.text, "signature": signature}}),
        (None, None) => return None,
    };
    Some(json!({ "reasoningContent": content }))
}

/// A piece of a user message. Blank text is refused, and an image can only be sent by value.
fn part(part: &Part) -> Option<Value> {
    match part {
        Part::Text(text) => (!text.trim().is_empty()).then(|| json!({ "text": text })),
        Part::Image { media_type, data } => {
            let format = media_type.strip_prefix("image/").unwrap_or(media_type).replace("jpg", "jpeg");
            Some(json!({"image": {"format": format, "source": {"bytes": data}}}))
        }
        Part::ImageUrl { url, .. } => Some(json!({"text": format!("[image: {url}]")})),
    }
}

/// Ids of other providers may hold characters that Bedrock refuses, or be longer than its 64.
fn safe_id(id: &str) -> String {
    let fine = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    id.chars().map(fine).take(64).collect()
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
