//! From a neutral request to a body for `generateContent`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::{
    models,
    normalize::{arguments_object, later_system, schema_instruction, system_prompt},
    request::{ChatMessage, ChatRequest, Part, ToolChoice, ToolSpec},
};

/// Stands in where Gemini demands a user's turn and the conversation has none.
const PLACEHOLDER: &str = "Continue.";
/// Gemini 3 refuses calls in the history that it did not sign, except with this in the signature's place.
const UNSIGNED: &str = "skip_thought_signature_validator";

/// The body to post, the same for streamed and whole answers.
pub(crate) fn body(request: &ChatRequest) -> Value {
    let mut body = Map::new();
    if let Some(system) = system(request) {
        body.insert("systemInstruction".into(), json!({"parts": [{"text": system}]}));
    }
    body.insert("contents".into(), contents(request).into());
    if !request.tools.is_empty() {
        let declarations: Vec<Value> = request.tools.iter().map(declaration).collect();
        body.insert("tools".into(), json!([{ "functionDeclarations": declarations }]));
        let config = match &request.tool_choice {
            ToolChoice::Auto => json!({"mode": "AUTO"}),
            ToolChoice::None => json!({"mode": "NONE"}),
            ToolChoice::Required => json!({"mode": "ANY"}),
            ToolChoice::Named(name) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
        };
        body.insert("toolConfig".into(), json!({ "functionCallingConfig": config }));
    }
    let config = generation_config(request);
    if !config.is_empty() {
        body.insert("generationConfig".into(), Value::Object(config));
    }
    Value::Object(body)
}

/// The system prompt; beside tools a wish for a structured answer has no parameter, so it is put into words.
fn system(request: &ChatRequest) -> Option<String> {
    let prompt = system_prompt(&request.messages).unwrap_or_default();
    let wanted = request.response_format.as_ref().filter(|_| !request.tools.is_empty()).and_then(schema_instruction);
    let parts = [prompt.as_ref(), wanted.as_deref().unwrap_or_default()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.trim().is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

fn generation_config(request: &ChatRequest) -> Map<String, Value> {
    let params = &request.params;
    let mut config = Map::new();
    if let Some(temperature) = params.temperature {
        config.insert("temperature".into(), json!(temperature));
    }
    if let Some(limit) = params.max_tokens {
        config.insert("maxOutputTokens".into(), json!(limit));
    }
    if let Some(penalty) = params.frequency_penalty {
        config.insert("frequencyPenalty".into(), json!(penalty));
    }
    if params.enable_reasoner && models::reasons(&request.model) {
        let mut thinking = json!({"includeThoughts": true});
        if params.max_reasoning_tokens > 0 {
            thinking["thinkingBudget"] = json!(params.max_reasoning_tokens);
        } else if let Some(effort) = params.reasoning_effort.as_deref() {
            if is_gemini3(&request.model) {
                let level = if effort == "none" { "minimal" } else { effort };
                thinking["thinkingLevel"] = json!(level);
            } else {
                thinking["thinkingBudget"] = json!(effort_budget(effort));
            }
        }
        config.insert("thinkingConfig".into(), thinking);
    } else if request.model.contains("gemini-2.5-flash") {
        // It thinks, unseen and at the user's cost, unless told not to; its larger sibling cannot be told.
        config.insert("thinkingConfig".into(), json!({"thinkingBudget": 0}));
    }
    // Gemini does not combine a forced format with tools.
    if let Some(format) = request.response_format.as_ref().filter(|_| request.tools.is_empty()) {
        let schema = format.pointer("/json_schema/schema");
        if schema.is_some() || format.get("type").and_then(Value::as_str) == Some("json_object") {
            config.insert("responseMimeType".into(), json!("application/json"));
        }
        if let Some(schema) = schema {
            config.insert("responseJsonSchema".into(), schema.clone());
        }
    }
    config
}

/// The budget that stands for an effort, in tokens, as Google itself translates it.
fn effort_budget(effort: &str) -> u32 {
    match effort {
        "none" => 0,
        "minimal" => 512,
        "low" => 1024,
        "medium" => 8192,
        _ => 24_576,
    }
}

fn is_gemini3(model: &str) -> bool {
    model.contains("gemini-3")
}

/// A tool without parameters must not declare an empty object.
fn declaration(tool: &ToolSpec) -> Value {
    let mut value = json!({"name": tool.name, "description": tool.description});
    let schema = tool.schema();
    if schema.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty()) {
        value["parametersJsonSchema"] = schema;
    }
    value
}

/// The conversation as turns that alternate, begin with the user's and end with it.
fn contents(request: &ChatRequest) -> Vec<Value> {
    let messages = &request.messages;
    let unsigned = is_gemini3(&request.model).then_some(UNSIGNED);
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let (role, parts) = match message {
            ChatMessage::System { text } => match later_system(messages, at, text) {
                Some(text) => ("user", vec![json!({ "text": text })]),
                None => continue,
            },
            ChatMessage::User { parts, .. } => ("user", parts.iter().filter_map(part).collect()),
            ChatMessage::Assistant { tool_calls, .. } => {
                names.extend(tool_calls.iter().map(|call| (call.id.as_str(), call.name.as_str())));
                ("model", assistant(message, unsigned))
            }
            ChatMessage::Tool { call_id, name, content } => {
                // Results go by the function's name, as Gemini knows no ids.
                let name = names.get(call_id.as_str()).copied().or(name.as_deref()).unwrap_or("unknown");
                ("user", vec![json!({"functionResponse": {"name": name, "response": {"result": content}}})])
            }
        };
        if parts.is_empty() {
            continue;
        }
        match turns.last_mut() {
            Some((last, existing)) if *last == role => existing.extend(parts),
            _ => turns.push((role, parts)),
        }
    }
    if turns.first().is_none_or(|(role, _)| *role != "user") {
        turns.insert(0, ("user", vec![json!({"text": PLACEHOLDER})]));
    }
    if turns.last().is_some_and(|(role, _)| *role != "user") {
        turns.push(("user", vec![json!({"text": PLACEHOLDER})]));
    }
    turns.into_iter().map(|(role, parts)| json!({"role": role, "parts": parts})).collect()
}

/// Text and calls. The thought signature goes back on the first call, where Gemini put it.
fn assistant(message: &ChatMessage, unsigned: Option<&str>) -> Vec<Value> {
    let ChatMessage::Assistant { text, reasoning, tool_calls, .. } = message else {
        return Vec::new();
    };
    let mut parts: Vec<Value> =
        text.iter().filter(|text| !text.is_empty()).map(|text| json!({ "text": text })).collect();
    let mut signature = reasoning.iter().rev().find_map(|block| block.signature.as_deref()).or(unsigned);
    for call in tool_calls {
        let mut part = json!({"functionCall": {"name": call.name, "args": arguments_object(&call.arguments)}});
        if let Some(signature) = signature.take() {
            part["thoughtSignature"] = json!(signature);
        }
        parts.push(part);
    }
    parts
}

fn part(part: &Part) -> Option<Value> {
    match part {
        Part::Text(text) => (!text.is_empty()).then(|| json!({ "text": text })),
        Part::Image { media_type, data } => Some(json!({"inlineData": {"mimeType": media_type, "data": data}})),
        Part::ImageUrl { url, .. } => Some(json!({"fileData": {"mimeType": media_type_of(url), "fileUri": url}})),
    }
}

/// Gemini wants to know what a link leads to; the name is all there is to go by.
fn media_type_of(url: &str) -> &'static str {
    let path = url.split(['?', '#']).next().unwrap_or(url).to_lowercase();
    match path.rsplit('.').next() {
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("gif") => "image/gif",
        Some("heic") => "image/heic",
        _ => "image/jpeg",
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
