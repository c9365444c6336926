//! The model of the recordings: `CALL tool {…}` lines in a message become calls, what a tool returned is repeated, other
//! messages are echoed.

use mneme_tests::{Reply, provider::Recorded};
use serde_json::{Value, json};

/// What it answers; none for what it echoes.
pub fn reply(asked: &Recorded) -> Option<Reply> {
    let messages = asked.body["messages"].as_array()?;
    let last = messages.last()?;
    if last["role"] == "tool" {
        return Some(Reply::text(format!("done: {}", text(last))));
    }
    let text = text(last);
    if text.trim() == "EMPTY" {
        return Some(Reply::empty());
    }
    if let Some(status) = text.trim().strip_prefix("ERR ").and_then(|rest| rest.split_whitespace().next()?.parse().ok())
    {
        return Some(Reply::error(status, "mock", "scripted failure"));
    }
    let mut calls: Option<Reply> = None;
    for line in text.lines().filter_map(|line| line.trim().strip_prefix("CALL ")) {
        let (name, arguments) = line.split_once(' ').unwrap_or((line, "{}"));
        let arguments: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
        calls = Some(match calls {
            None => Reply::tool_call(name, arguments),
            Some(before) => before.and_tool_call(name, arguments),
        });
    }
    calls
}

fn text(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}
