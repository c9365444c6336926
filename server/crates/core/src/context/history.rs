//! Stored messages as a model reads them.

use std::collections::HashMap;

use mneme_domain::{
    StepId,
    content::{ContentPart, ImageSource},
    message::{Message, MessageRole, StoredToolReturn},
};
use mneme_llm::{ChatMessage, Part, Reasoning, ToolCall};
use serde_json::Value;

use super::pictures;

/// What stands before pictures that tools returned.
const PICTURES: &str = "Pictures that were returned:";

/// Turns the messages of a context into a conversation. `system` replaces the stored system message.
///
/// A history may hold what a provider refuses: a call without its return (its run was killed), a return without its
/// call, an empty message, an id that stands for several calls (some servers count anew in each answer). Each is left
/// out, completed or told apart here and never changed in the store.
pub fn to_chat<'a>(system: &str, messages: impl IntoIterator<Item = &'a Message>) -> Vec<ChatMessage> {
    let mut chat = vec![ChatMessage::System { text: system.to_owned() }];
    let mut open: Vec<Open> = Vec::new();
    // Pictures of returns, which no provider takes in all returns.
    let mut drawn: Vec<Part> = Vec::new();
    let mut taken = HashMap::new();
    // Where the last answer is, and the step it belongs to.
    let mut answer: Option<(usize, &StepId)> = None;
    // Thoughts before calls that wait, with their step.
    let mut thought: Option<(Vec<Reasoning>, Option<&StepId>)> = None;
    for message in messages {
        match message.role {
            MessageRole::Tool | MessageRole::Function => {
                for (call_id, mut content) in returns_of(message) {
                    // A return whose call is not in view would be refused by every provider.
                    if let Some(at) = open.iter().position(|call| call.stored == call_id) {
                        let call_id = open.remove(at).shown;
                        if let Some((words, parts)) = pictures::taken_out(&content) {
                            content = words;
                            drawn.extend(parts);
                        }
                        chat.push(ChatMessage::Tool { call_id, name: message.name.clone(), content });
                    }
                }
                // Returns of one answer stand together.
                if open.is_empty() && !drawn.is_empty() {
                    let mut parts = vec![Part::Text(PICTURES.to_owned())];
                    parts.append(&mut drawn);
                    chat.push(ChatMessage::User { parts, name: None });
                }
            }
            // The answer to a request for approval is told by what its calls return.
            MessageRole::Approval if message.tool_calls.is_none() => {}
            MessageRole::Assistant | MessageRole::Approval => {
                // Calls that waited for approval are one answer with what the model said and called beside them.
                let beside = answer.filter(|(_, step)| {
                    message.role == MessageRole::Approval && message.step_id.as_ref() == Some(*step)
                });
                if beside.is_none() {
                    close(&mut chat, &mut open);
                }
                let mut said = assistant(message);
                let ChatMessage::Assistant { text, tool_calls, reasoning, .. } = &mut said else { continue };
                if text.is_none() && tool_calls.is_empty() {
                    thought = Some((std::mem::take(reasoning), message.step_id.as_ref()));
                    continue;
                }
                if let Some((before, step)) = thought.take()
                    && message.role == MessageRole::Approval
                    && step.is_some()
                    && step == message.step_id.as_ref()
                {
                    *reasoning = before;
                }
                open.extend(tool_calls.iter_mut().map(|call| {
                    let shown = unlike(&mut taken, &call.id);
                    let stored = std::mem::replace(&mut call.id, shown.clone());
                    Open { stored, shown }
                }));
                if let Some((at, _)) = beside
                    && let Some(ChatMessage::Assistant { tool_calls: before, .. }) = chat.get_mut(at)
                {
                    before.append(tool_calls);
                    continue;
                }
                answer = message.step_id.as_ref().map(|step| (chat.len(), step));
                chat.push(said);
            }
            MessageRole::User | MessageRole::System => {
                close(&mut chat, &mut open);
                let parts = parts(&message.content);
                if parts.is_empty() {
                    continue;
                }
                chat.push(if message.role == MessageRole::System {
                    ChatMessage::System { text: message.text() }
                } else {
                    ChatMessage::User { parts, name: message.name.clone() }
                });
            }
        }
    }
    close(&mut chat, &mut open);
    chat
}

/// A call whose return has not come yet: its id as stored, and as the provider is shown it.
struct Open {
    stored: String,
    shown: String,
}

/// The id, or when it is taken one like it that is not. `taken` remembers how far each id was counted.
fn unlike(taken: &mut HashMap<String, u32>, id: &str) -> String {
    let mut number = taken.get(id).copied().unwrap_or(1);
    let mut fresh = id.to_owned();
    while taken.contains_key(&fresh) {
        number += 1;
        fresh = format!("{id}_{number}");
    }
    taken.insert(id.to_owned(), number);
    taken.entry(fresh.clone()).or_insert(1);
    fresh
}

/// Answers calls that never returned, so that the conversation stays valid.
fn close(chat: &mut Vec<ChatMessage>, open: &mut Vec<Open>) {
    for Open { shown: call_id, .. } in open.drain(..) {
        let content = "The call was interrupted and has no result.".to_owned();
        chat.push(ChatMessage::Tool { call_id, name: None, content });
    }
}

fn returns_of(message: &Message) -> Vec<(String, String)> {
    let of_return = |tool_return: &StoredToolReturn| {
        let id = tool_return.tool_call_id.clone().or_else(|| message.tool_call_id.clone())?;
        Some((id, tool_return.func_response.clone().unwrap_or_default()))
    };
    let listed: Vec<_> = message.tool_returns.iter().filter_map(of_return).collect();
    match (&message.tool_call_id, listed.is_empty()) {
        (Some(id), true) => vec![(id.clone(), message.text())],
        _ => listed,
    }
}

fn assistant(message: &Message) -> ChatMessage {
    let mut reasoning = Vec::new();
    for part in &message.content {
        match part {
            ContentPart::Reasoning { reasoning: text, signature, .. } => {
                reasoning.push(Reasoning { text: text.clone(), signature: signature.clone(), redacted: None });
            }
            ContentPart::RedactedReasoning { data } => {
                reasoning.push(Reasoning { redacted: Some(data.clone()), ..Reasoning::default() });
            }
            _ => {}
        }
    }
    let text = said(message);
    let calls = message.tool_calls.iter().flatten().map(|call| ToolCall {
        id: call.id.clone(),
        name: call.function.name.clone(),
        arguments: valid_arguments(&call.function.arguments),
    });
    ChatMessage::Assistant {
        text: (!text.is_empty()).then_some(text),
        reasoning,
        tool_calls: calls.collect(),
        name: message.name.clone(),
    }
}

/// The visible words, with thoughts that a model wrote beside its calls: without them it stops to think.
fn said(message: &Message) -> String {
    let thoughts = message.content.iter().filter_map(|part| match part {
        ContentPart::Reasoning { reasoning, is_native: false, .. } => Some(reasoning.as_str()),
        ContentPart::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    thoughts.collect::<Vec<_>>().join("\n")
}

/// Some servers refuse a history whose arguments are no JSON object; what the model wrote is kept as a string in one.
fn valid_arguments(arguments: &str) -> String {
    match serde_json::from_str::<Value>(arguments) {
        Ok(Value::Object(_)) => arguments.to_owned(),
        _ => serde_json::json!({ "malformed_arguments": arguments }).to_string(),
    }
}

fn parts(content: &[ContentPart]) -> Vec<Part> {
    let part = |part: &ContentPart| match part {
        ContentPart::Text { text, .. } if text.is_empty() => None,
        ContentPart::Text { text, .. } => Some(Part::Text(text.clone())),
        ContentPart::Image { source } => match source {
            ImageSource::Url { url } => Some(Part::ImageUrl { url: url.clone(), detail: None }),
            ImageSource::Base64 { media_type, data, .. } => {
                Some(Part::Image { media_type: media_type.clone(), data: data.clone() })
            }
            ImageSource::Letta { media_type, data: Some(data), .. } => Some(Part::Image {
                media_type: media_type.clone().unwrap_or_else(|| "image/png".into()),
                data: data.clone(),
            }),
            ImageSource::Letta { .. } => Some(Part::Text("[an image that is no longer stored]".into())),
        },
        _ => None,
    };
    content.iter().filter_map(part).collect()
}
