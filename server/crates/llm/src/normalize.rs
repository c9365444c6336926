//! Repairs a conversation so that no provider refuses it for its form.
//!
//! Every provider insists that each tool call is answered exactly once, right after the message that made it. A
//! history cut by compaction or a crash may not keep that promise, and one bad message would make every later call
//! of the agent fail.

use std::{borrow::Cow, collections::HashSet};

use crate::request::{ChatMessage, ToolCall};

/// What the model reads in place of a result that was never recorded.
const NO_RESULT: &str = "No result of this tool call was recorded.";

/// The repaired conversation, or `None` when there is nothing to repair.
pub(crate) fn messages(messages: &[ChatMessage]) -> Option<Vec<ChatMessage>> {
    if is_sound(messages) {
        return None;
    }
    let mut out: Vec<ChatMessage> = Vec::with_capacity(messages.len());
    let mut used = HashSet::new();
    for (at, message) in messages.iter().enumerate() {
        match message {
            // Results are taken along with the calls they answer; one without a call is dropped.
            ChatMessage::Tool { .. } => {}
            ChatMessage::Assistant { tool_calls, .. } if !tool_calls.is_empty() => {
                let results = results_for(tool_calls, messages, at, &mut used);
                out.push(message.clone());
                out.extend(results);
            }
            ChatMessage::Assistant { text, .. } if text.as_deref().unwrap_or_default().is_empty() => {}
            _ => out.push(message.clone()),
        }
    }
    Some(out)
}

/// One result per call, in the calls' order, from the messages after `at`.
fn results_for(calls: &[ToolCall], messages: &[ChatMessage], at: usize, used: &mut HashSet<usize>) -> Vec<ChatMessage> {
    let mut results = Vec::with_capacity(calls.len());
    for call in calls {
        let found = messages.iter().enumerate().skip(at + 1).find(|(i, message)| {
            !used.contains(i) && matches!(message, ChatMessage::Tool { call_id, .. } if *call_id == call.id)
        });
        results.push(match found {
            Some((i, result)) => {
                used.insert(i);
                result.clone()
            }
            None => ChatMessage::Tool {
                call_id: call.id.clone(),
                name: Some(call.name.clone()),
                content: NO_RESULT.to_owned(),
            },
        });
    }
    results
}

fn is_sound(messages: &[ChatMessage]) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        match message {
            ChatMessage::Tool { call_id, .. } => match open.iter().position(|id| id == call_id) {
                Some(at) => _ = open.remove(at),
                None => return false,
            },
            _ if !open.is_empty() => return false,
            ChatMessage::Assistant { tool_calls, text, .. } => {
                if tool_calls.is_empty() && text.as_deref().unwrap_or_default().is_empty() {
                    return false;
                }
                open = tool_calls.iter().map(|call| call.id.as_str()).collect();
            }
            ChatMessage::System { .. } | ChatMessage::User { .. } => {}
        }
    }
    open.is_empty()
}

/// The arguments of a call as a JSON object, for wires that want one. What a model once wrote wrongly stays readable.
pub(crate) fn arguments_object(arguments: &str) -> serde_json::Value {
    match serde_json::from_str::<serde_json::Value>(arguments) {
        Ok(value @ serde_json::Value::Object(_)) => value,
        _ if arguments.trim().is_empty() => serde_json::json!({}),
        _ => serde_json::json!({ "_raw": arguments }),
    }
}

/// The system prompt of wires that know one only: the system messages the conversation begins with.
pub(crate) fn system_prompt(messages: &[ChatMessage]) -> Option<Cow<'_, str>> {
    let mut texts = messages.iter().map_while(|message| match message {
        ChatMessage::System { text } => Some(text.as_str()),
        _ => None,
    });
    let first = texts.next()?;
    let rest: Vec<&str> = texts.collect();
    let prompt: Cow<'_, str> =
        if rest.is_empty() { first.into() } else { format!("{first}\n\n{}", rest.join("\n\n")).into() };
    (!prompt.trim().is_empty()).then_some(prompt)
}

/// A system message in the middle of the conversation, marked up for a user's turn; `None` for one of those in the
/// system prompt. Moved to the prompt it would lose its place in time.
pub(crate) fn later_system(messages: &[ChatMessage], at: usize, text: &str) -> Option<String> {
    let leading = messages[..at].iter().all(|message| matches!(message, ChatMessage::System { .. }));
    (!leading && !text.trim().is_empty()).then(|| format!("<system>\n{text}\n</system>"))
}

/// The wish for a structured answer in words, for wires that have no parameter for it.
pub(crate) fn schema_instruction(format: &serde_json::Value) -> Option<String> {
    match format.get("type")?.as_str()? {
        "json_schema" => {
            let schema = format.pointer("/json_schema/schema")?;
            Some(format!("Answer with nothing but one JSON value that satisfies this JSON Schema:\n{schema}"))
        }
        "json_object" => Some("Answer with nothing but one JSON object.".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(ids: &[&str]) -> ChatMessage {
        let call = |id: &&str| ToolCall { id: (*id).into(), name: "f".into(), arguments: "{}".into() };
        ChatMessage::Assistant { text: None, reasoning: vec![], tool_calls: ids.iter().map(call).collect(), name: None }
    }

    fn result(id: &str, content: &str) -> ChatMessage {
        ChatMessage::Tool { call_id: id.into(), name: None, content: content.into() }
    }

    fn missing(id: &str) -> ChatMessage {
        ChatMessage::Tool { call_id: id.into(), name: Some("f".into()), content: NO_RESULT.into() }
    }

    fn system(text: &str) -> ChatMessage {
        ChatMessage::System { text: text.into() }
    }

    #[test]
    fn a_sound_conversation_is_left_alone() {
        assert_eq!(messages(&[system("s"), calls(&["a", "b"]), result("b", "2"), result("a", "1")]), None);
    }

    #[test]
    fn calls_without_results_get_one_and_results_without_calls_go() {
        let repaired = messages(&[result("x", "orphan"), calls(&["a", "b"]), result("b", "2"), system("s")]);
        assert_eq!(repaired, Some(vec![calls(&["a", "b"]), missing("a"), result("b", "2"), system("s")]));
    }

    #[test]
    fn late_results_move_to_their_call_and_second_ones_go() {
        let repaired = messages(&[calls(&["a"]), system("s"), result("a", "1"), result("a", "again")]);
        assert_eq!(repaired, Some(vec![calls(&["a"]), result("a", "1"), system("s")]));
    }

    #[test]
    fn empty_answers_are_left_out() {
        let empty =
            ChatMessage::Assistant { text: Some(String::new()), reasoning: vec![], tool_calls: vec![], name: None };
        assert_eq!(messages(&[system("s"), empty]), Some(vec![system("s")]));
    }

    #[test]
    fn arguments_that_are_no_object_stay_readable() {
        use serde_json::json;
        for (text, expected) in [
            ("{\"a\":1}", json!({"a": 1})),
            ("", json!({})),
            ("{\"br", json!({"_raw": "{\"br"})),
            ("3", json!({"_raw": "3"})),
        ] {
            assert_eq!(arguments_object(text), expected);
        }
    }
}
