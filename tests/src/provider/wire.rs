//! Chat completions on the wire, whole and as a stream of chunks.

use bytes::Bytes;
use serde_json::{Value, json};

use super::reply::{Call, Message};

const CREATED: u64 = 1_700_000_000;

/// A whole `chat.completion`.
pub(super) fn completion(message: &Message, request: &Value, id: u64) -> Value {
    let calls: Vec<Value> = message.calls.iter().enumerate().map(|(index, call)| whole_call(call, id, index)).collect();
    let mut body = json!({"role": "assistant", "content": message.text});
    if let Some(reasoning) = &message.reasoning {
        body["reasoning_content"] = json!(reasoning);
    }
    if !calls.is_empty() {
        body["tool_calls"] = json!(calls);
    }
    json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion",
        "created": CREATED,
        "model": request["model"],
        "choices": [{"index": 0, "message": body, "finish_reason": finish_reason(message), "logprobs": null}],
        "usage": usage(message, request),
    })
}

/// The events of a streamed completion, one network chunk each: a word at a time, call arguments in two halves.
pub(super) fn stream(message: &Message, request: &Value, id: u64) -> Vec<Bytes> {
    let mut deltas = vec![json!({"role": "assistant", "content": ""})];
    deltas.extend(pieces(message.reasoning.as_deref()).map(|piece| json!({"reasoning_content": piece})));
    deltas.extend(pieces(message.text.as_deref()).map(|piece| json!({"content": piece})));
    for (index, call) in message.calls.iter().enumerate() {
        deltas.extend(call_deltas(call, id, index));
    }
    let mut chunks: Vec<Value> =
        deltas.into_iter().map(|delta| chunk(request, id, json!([choice(delta, Value::Null)]))).collect();
    chunks.push(chunk(request, id, json!([choice(json!({}), json!(finish_reason(message)))])));
    if request["stream_options"]["include_usage"] == Value::Bool(true) {
        let mut last = chunk(request, id, json!([]));
        last["usage"] = usage(message, request);
        chunks.push(last);
    }
    let mut events: Vec<Bytes> = chunks.iter().map(|chunk| Bytes::from(format!("data: {chunk}\n\n"))).collect();
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}

fn chunk(request: &Value, id: u64, choices: Value) -> Value {
    json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": request["model"],
        "choices": choices,
    })
}

fn choice(delta: Value, finish_reason: Value) -> Value {
    json!({"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": null})
}

/// Words with the space that follows them, so that joining gives the text back.
fn pieces(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split_inclusive(' ')
}

fn call_id(call: &Call, id: u64, index: usize) -> String {
    call.id.clone().unwrap_or_else(|| format!("call_{id}_{index}"))
}

fn whole_call(call: &Call, id: u64, index: usize) -> Value {
    let function = json!({"name": call.name, "arguments": call.arguments});
    json!({"id": call_id(call, id, index), "type": "function", "function": function})
}

fn call_deltas(call: &Call, id: u64, index: usize) -> [Value; 3] {
    let middle = call.arguments.floor_char_boundary(call.arguments.len() / 2);
    let (first, second) = call.arguments.split_at(middle);
    let function = json!({"name": call.name, "arguments": ""});
    let opening = json!({"index": index, "id": call_id(call, id, index), "type": "function", "function": function});
    let rest = |part: &str| json!({"tool_calls": [{"index": index, "function": {"arguments": part}}]});
    [json!({"tool_calls": [opening]}), rest(first), rest(second)]
}

fn finish_reason(message: &Message) -> String {
    let natural = if message.calls.is_empty() { "stop" } else { "tool_calls" };
    message.finish_reason.clone().unwrap_or_else(|| natural.to_owned())
}

/// The scripted usage, or an estimate of a token for every four bytes.
fn usage(message: &Message, request: &Value) -> Value {
    let estimate = |bytes: usize| bytes.div_ceil(4) as u64;
    let (prompt, completion) = message.usage.unwrap_or_else(|| {
        let calls: usize = message.calls.iter().map(|call| call.name.len() + call.arguments.len()).sum();
        let text = message.text.as_deref().map_or(0, str::len) + message.reasoning.as_deref().map_or(0, str::len);
        (estimate(request["messages"].to_string().len()), estimate(calls + text))
    });
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streamed_call_joins_to_the_whole_arguments() {
        let arguments = r#"{"text":"größe"}"#;
        for length in 0..=arguments.len() {
            let call = Call {
                name: "f".into(),
                arguments: arguments[..arguments.floor_char_boundary(length)].into(),
                id: None,
            };
            let joined: String = call_deltas(&call, 1, 0)
                .iter()
                .filter_map(|delta| delta["tool_calls"][0]["function"]["arguments"].as_str())
                .collect();
            assert_eq!(joined, call.arguments);
        }
    }
}
