//! Chat completions on the wire, whole and as events.

use serde_json::{Value, json};

use super::MODELS;

const CREATED: u64 = 1_700_000_000;

/// What the model says.
pub enum Message {
    /// Words, a token each.
    Text(Vec<&'static str>),
    Call {
        name: &'static str,
        arguments: String,
    },
}

/// A whole `chat.completion`. `prompt` is the length of the request in tokens.
pub fn completion(message: &Message, id: u64, prompt: u64) -> String {
    let (body, reason) = match message {
        Message::Text(words) => (json!({"role": "assistant", "content": words.concat()}), "stop"),
        Message::Call { name, arguments } => {
            let function = json!({"name": name, "arguments": arguments});
            let call = json!({"id": call_id(id), "type": "function", "function": function});
            (json!({"role": "assistant", "content": null, "tool_calls": [call]}), "tool_calls")
        }
    };
    json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion",
        "created": CREATED,
        "model": MODELS[0],
        "choices": [{"index": 0, "message": body, "finish_reason": reason}],
        "usage": usage(message, prompt),
    })
    .to_string()
}

/// The events of a streamed completion; the first one carries the first token.
pub fn events(message: &Message, id: u64, prompt: u64) -> Vec<String> {
    let (deltas, reason) = match message {
        Message::Text(words) => {
            let deltas = words.iter().map(|word| json!({"role": "assistant", "content": word})).collect();
            (deltas, "stop")
        }
        Message::Call { name, arguments } => {
            let function = json!({"name": name, "arguments": arguments});
            let call = json!({"index": 0, "id": call_id(id), "type": "function", "function": function});
            (vec![json!({"role": "assistant", "tool_calls": [call]})], "tool_calls")
        }
    };
    let mut events: Vec<String> =
        deltas.into_iter().map(|delta| event(id, &json!([choice(delta, Value::Null)]), None)).collect();
    events.push(event(id, &json!([choice(json!({}), json!(reason))]), None));
    events.push(event(id, &json!([]), Some(usage(message, prompt))));
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn event(id: u64, choices: &Value, usage: Option<Value>) -> String {
    let chunk = json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODELS[0],
        "choices": choices,
        "usage": usage,
    });
    format!("data: {chunk}\n\n")
}

fn choice(delta: Value, reason: Value) -> Value {
    json!({"index": 0, "delta": delta, "finish_reason": reason})
}

fn call_id(id: u64) -> String {
    format!("call_{id}")
}

fn usage(message: &Message, prompt: u64) -> Value {
    let completion = match message {
        Message::Text(words) => words.len() as u64,
        Message::Call { arguments, .. } => arguments.len().div_ceil(4) as u64,
    };
    json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
}
