//! Repairs a conversation so that no provider refuses it for its form.
//!
//! Every provider insists that each tool call is answered exactly once, right after the message that made it, and has
//! an id and a name of a certain form. A history cut by compaction or a crash, or what a model or another server once
//! wrote, may not keep to that, and one bad message would make every later call of the agent fail.

use std::{borrow::Cow, collections::HashSet};

use crate::{
    call_names,
    request::{ChatMessage, ToolCall, ToolSpec},
};

/// What the model reads in place of a result that was never recorded.
const NO_RESULT: &str = "No result of this tool call was recorded.";

/// The repaired conversation, or `None` when there is nothing to repair. Names of tools on offer stay as they are.
pub(crate) fn messages(messages: &[ChatMessage], offered: &[ToolSpec]) -> Option<Vec<ChatMessage>> {
    let (sound, named) = (is_sound(messages), messages.iter().all(|message| is_named(message, offered)));
    if sound && named {
        return None;
    }
    let mut repaired = if sound { messages.to_vec() } else { completed(messages) };
    if !named {
        repaired.iter_mut().for_each(|message| rename(message, offered));
    }
    Some(repaired)
}

/// The name of a call as a provider takes it.
fn spelled<'a>(name: &'a str, offered: &[ToolSpec]) -> Cow<'a, str> {
    if offered.iter().any(|tool| tool.name == name) { name.into() } else { call_names::name(name) }
}

fn is_named(message: &ChatMessage, offered: &[ToolSpec]) -> bool {
    match message {
        ChatMessage::Assistant { tool_calls, .. } => tool_calls
            .iter()
            .all(|call| call_names::id(&call.id) == call.id && spelled(&call.name, offered) == call.name),
        ChatMessage::Tool { call_id, name, .. } => {
            call_names::id(call_id) == *call_id && name.as_deref().is_none_or(|name| spelled(name, offered) == name)
        }
        ChatMessage::System { .. } | ChatMessage::User { .. } => true,
    }
}

fn rename(message: &mut ChatMessage, offered: &[ToolSpec]) {
    match message {
        ChatMessage::Assistant { tool_calls, .. } => {
            for call in tool_calls {
                call.id = call_names::id(&call.id).into_owned();
                call.name = spelled(&call.name, offered).into_owned();
            }
        }
        ChatMessage::Tool { call_id, name, .. } => {
            *call_id = call_names::id(call_id).into_owned();
            if let Some(name) = name {
                *name = spelled(name, offered).into_owned();
            }
        }
        ChatMessage::System { .. } | ChatMessage::User { .. } => {}
    }
}

/// The conversation with one result for each call, right after it, and without empty answers.
fn completed(messages: &[ChatMessage]) -> Vec<ChatMessage> {
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
    out
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
    use serde_json::json;

    use super::*;

    fn calls(ids: &[&str]) -> ChatMessage {
        let call = |id: &&str| ToolCall { id: (*id).into(), name: "f".into(), arguments: "{}".into() };
        ChatMessage::Assistant { text: None, reasoning: vec![], tool_calls: ids.iter().map(call).collect(), name: None }
    }

    fn result(id: &str, content: &str) -> ChatMessage {
        ChatMessage::Tool { call_id: id.into(), name: None, content: content.into() }
    }

    fn repaired(conversation: &[ChatMessage]) -> Option<Vec<ChatMessage>> {
        messages(conversation, &[])
    }

    fn missing(id: &str) -> ChatMessage {
        ChatMessage::Tool { call_id: id.into(), name: Some("f".into()), content: NO_RESULT.into() }
    }

    fn system(text: &str) -> ChatMessage {
        ChatMessage::System { text: text.into() }
    }

    #[test]
    fn a_sound_conversation_is_left_alone() {
        assert_eq!(repaired(&[system("s"), calls(&["a", "b"]), result("b", "2"), result("a", "1")]), None);
    }

    #[test]
    fn calls_without_results_get_one_and_results_without_calls_go() {
        let mended = repaired(&[result("x", "orphan"), calls(&["a", "b"]), result("b", "2"), system("s")]);
        assert_eq!(mended, Some(vec![calls(&["a", "b"]), missing("a"), result("b", "2"), system("s")]));
    }

    #[test]
    fn late_results_move_to_their_call_and_second_ones_go() {
        let mended = repaired(&[calls(&["a"]), system("s"), result("a", "1"), result("a", "again")]);
        assert_eq!(mended, Some(vec![calls(&["a"]), result("a", "1"), system("s")]));
    }

    #[test]
    fn empty_answers_are_left_out() {
        let empty =
            ChatMessage::Assistant { text: Some(String::new()), reasoning: vec![], tool_calls: vec![], name: None };
        assert_eq!(repaired(&[system("s"), empty]), Some(vec![system("s")]));
    }

    #[test]
    fn calls_keep_a_name_that_is_on_offer_and_get_a_form_that_is_taken_otherwise() {
        let call = |id: &str, name: &str| ToolCall { id: id.into(), name: name.into(), arguments: "{}".into() };
        let said = |tool_calls: Vec<ToolCall>| ChatMessage::Assistant {
            text: None,
            reasoning: vec![],
            tool_calls,
            name: None,
        };
        let long = "i".repeat(41);
        let history = [said(vec![call("a", "my.tool"), call(&long, "no.tool")]), result("a", "1"), result(&long, "2")];
        let offered = [ToolSpec { name: "my.tool".into(), description: String::new(), parameters: json!({}) }];
        let short = call_names::id(&long).into_owned();
        let expected =
            vec![said(vec![call("a", "my.tool"), call(&short, "no_tool")]), result("a", "1"), result(&short, "2")];
        assert_eq!(messages(&history, &offered), Some(expected.clone()));
        assert_eq!(messages(&expected, &offered), None);
    }

    #[test]
    fn arguments_that_are_no_object_stay_readable() {
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
