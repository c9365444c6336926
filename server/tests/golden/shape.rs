//! Whether two answers have one shape, and which of our names stands for which recorded one.

use std::collections::HashMap;

use serde_json::Value;

use crate::recording::Answer;

/// Recorded identifiers and ours.
#[derive(Default)]
pub struct Names {
    ours: HashMap<String, String>,
}

impl Names {
    /// Takes note of identifiers that stand in the same place of both answers.
    pub fn learn(&mut self, recorded: &Answer, ours: &Answer) {
        match (recorded, ours) {
            (Answer::Json(recorded), Answer::Json(ours)) => self.pair(recorded, ours),
            (Answer::Events(recorded), Answer::Events(ours)) => {
                recorded.iter().zip(ours).for_each(|(recorded, ours)| self.pair(recorded, ours));
            }
            _ => {}
        }
    }

    fn pair(&mut self, recorded: &Value, ours: &Value) {
        match (recorded, ours) {
            (Value::Object(recorded), Value::Object(ours)) => {
                for (key, value) in recorded {
                    if let Some(ours) = ours.get(key) {
                        self.pair(value, ours);
                    }
                }
            }
            // Lists of one length are in one order; others say nothing.
            (Value::Array(recorded), Value::Array(ours)) if recorded.len() == ours.len() => {
                recorded.iter().zip(ours).for_each(|(recorded, ours)| self.pair(recorded, ours));
            }
            (Value::String(recorded), Value::String(ours))
                if prefix(recorded).is_some() && prefix(recorded) == prefix(ours) =>
            {
                self.ours.entry(recorded.clone()).or_insert_with(|| ours.clone());
            }
            _ => {}
        }
    }

    /// A text with our identifiers in it.
    pub fn translated(&self, text: &str) -> String {
        self.ours.iter().fold(text.to_owned(), |text, (recorded, ours)| text.replace(recorded, ours))
    }
}

/// What kind of thing an identifier names.
fn prefix(text: &str) -> Option<&str> {
    const UUID: usize = 36;
    let (prefix, uuid) = text.split_at_checked(text.len().checked_sub(UUID)?)?;
    let is_uuid = uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    // Those with zeros are made up by the caller.
    (is_uuid && prefix.ends_with('-') && !uuid.starts_with("00000000")).then_some(prefix)
}

/// Where our answer has not the shape of the recorded one.
pub fn faults(recorded: &Answer, ours: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    match (recorded, ours) {
        (Answer::Json(recorded), Answer::Json(ours)) => compare("", recorded, ours, &mut found),
        (Answer::Events(recorded), Answer::Events(ours)) => {
            let (theirs, own) = (kinds(recorded), kinds(ours));
            if theirs != own {
                found.push(format!("events {own:?}, recorded {theirs:?}"));
            } else {
                let pairs = merged(recorded).into_iter().zip(merged(ours));
                pairs.for_each(|(recorded, ours)| compare("event", &recorded, &ours, &mut found));
            }
        }
        (Answer::Text | Answer::Json(Value::Null), Answer::Text) => {}
        _ => found.push(format!("another kind of answer: {ours:?}")),
    }
    found
}

/// The kinds of events in their order; pieces of one message count once, pings not at all.
fn kinds(events: &[Value]) -> Vec<String> {
    let mut kinds: Vec<String> = events.iter().map(kind).filter(|kind| kind != "ping").collect();
    kinds.dedup();
    kinds
}

fn kind(event: &Value) -> String {
    let name = event["message_type"].as_str().or_else(|| event.as_str()).unwrap_or("chunk");
    name.to_owned()
}

/// The first event of each run of equal kinds.
fn merged(events: &[Value]) -> Vec<Value> {
    let mut merged: Vec<Value> = events.iter().filter(|event| kind(event) != "ping").cloned().collect();
    merged.dedup_by_key(|event| kind(event));
    merged
}

fn compare(place: &str, recorded: &Value, ours: &Value, found: &mut Vec<String>) {
    match (recorded, ours) {
        (Value::Object(recorded), Value::Object(ours)) => {
            for (key, value) in recorded {
                match ours.get(key) {
                    Some(ours) if !is_free(key) => compare(&format!("{place}.{key}"), value, ours, found),
                    Some(_) => {}
                    None if is_gone(key, recorded) => {}
                    None => found.push(format!("{place}.{key} is missing")),
                }
            }
        }
        (Value::Array(recorded), Value::Array(ours)) => {
            let pairs = recorded.iter().zip(ours).filter(|(recorded, ours)| alike(recorded, ours));
            pairs.for_each(|(recorded, ours)| compare(&format!("{place}[]"), recorded, ours, found));
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ if kind_of(recorded) == kind_of(ours) => {}
        _ => found.push(format!("{place} is {}, recorded {}", kind_of(ours), kind_of(recorded))),
    }
}

/// Fields that the recorded server showed and the API's description does not have any more.
fn is_gone(key: &str, object: &serde_json::Map<String, Value>) -> bool {
    key == "organization_id" || key == "name" && object.contains_key("preserve_on_migration")
}

/// Whether two messages of lists are of one kind; what is no message always is.
fn alike(recorded: &Value, ours: &Value) -> bool {
    ["message_type", "role"].iter().all(|key| recorded.get(key) == ours.get(key))
}

/// Fields whose content is anybody's: what users put into them, schemas, vectors.
fn is_free(key: &str) -> bool {
    matches!(key, "embedding" | "metadata" | "json_schema" | "parameters" | "examples" | "logprobs")
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
