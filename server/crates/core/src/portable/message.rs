//! A message as agent files hold it: read, and written.

use std::collections::HashMap;

use mneme_domain::{
    AgentId, GroupId, JsonObject, MessageId, Timestamp,
    content::ContentPart,
    message::{FunctionCall, Message, MessageRole, StoredToolCall, StoredToolReturn},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::lenient::{Fault, field, objects, text, time};

/// Who the message is to belong to.
pub struct Place<'a> {
    pub id: MessageId,
    pub agent: &'a AgentId,
    /// When it was made if it does not say so.
    pub at: Timestamp,
    /// For calls without an identifier.
    pub spare: Uuid,
}

/// Reads a message. What refers to other things of the file is left out: the caller knows what became of them.
///
/// # Errors
/// What is wrong with it.
pub fn read(fields: &JsonObject, place: Place<'_>) -> Result<Message, Fault> {
    let role = text(fields, "role")?.ok_or("it has no role")?;
    let role = MessageRole::from_name(&role).ok_or_else(|| format!("role: there is no role '{role}'"))?;
    let created_at = time(fields, "created_at")?.unwrap_or(place.at);
    let mut message = Message::new(place.id, place.agent.clone(), role, created_at);
    message.content = content(fields)?;
    message.model = text(fields, "model")?;
    message.name = text(fields, "name")?;
    message.otid = text(fields, "otid")?;
    message.sender_id = text(fields, "sender_id")?;
    message.batch_item_id = text(fields, "batch_item_id")?;
    let calls = objects(fields, "tool_calls")?;
    let calls: Vec<StoredToolCall> = calls.iter().map(|call| call_of(call, place.spare)).collect::<Result<_, _>>()?;
    message.tool_calls = (!calls.is_empty()).then_some(calls);
    message.tool_call_id = text(fields, "tool_call_id")?;
    message.tool_returns = objects(fields, "tool_returns")?.iter().map(return_of).collect::<Result<_, _>>()?;
    message.approve = field(fields, "approve")?;
    message.denial_reason = text(fields, "denial_reason")?;
    message.approvals = field::<Vec<Value>>(fields, "approvals")?.filter(|list| !list.is_empty());
    Ok(message)
}

fn content(fields: &JsonObject) -> Result<Vec<ContentPart>, Fault> {
    // Servers before 2025 wrote the words alone, under either name.
    let given = match fields.get("content") {
        None | Some(Value::Null) => fields.get("text"),
        given => given,
    };
    match given {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(words)) => Ok(vec![ContentPart::text(words.clone())]),
        Some(Value::Array(parts)) => parts.iter().map(part).collect(),
        Some(_) => Err("content: it is neither a text nor a list of parts".into()),
    }
}

fn part(given: &Value) -> Result<ContentPart, Fault> {
    let mut given = given.clone();
    if let Value::Object(fields) = &mut given {
        if fields.get("type").is_none_or(Value::is_null) && fields.contains_key("text") {
            fields.insert("type".into(), "text".into());
        }
        if fields.get("type").is_some_and(|kind| kind == "reasoning") {
            fields.entry("is_native").or_insert(Value::Bool(true));
        }
    }
    ContentPart::deserialize(given).map_err(|error| format!("content: {error}"))
}

fn call_of(fields: &JsonObject, spare: Uuid) -> Result<StoredToolCall, Fault> {
    let function = field::<JsonObject>(fields, "function")?.unwrap_or_else(|| fields.clone());
    let name = text(&function, "name")?.ok_or("tool_calls: a call has no name")?;
    let arguments = match function.get("arguments") {
        None | Some(Value::Null) => "{}".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let id = text(fields, "id")?.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{}", spare.simple()));
    Ok(StoredToolCall { id, function: FunctionCall { arguments, name }, kind: "function".into() })
}

fn return_of(fields: &JsonObject) -> Result<StoredToolReturn, Fault> {
    let mut fields = fields.clone();
    fields.retain(|_, value| !value.is_null());
    fields.entry("status").or_insert("success".into());
    if let Some(response) = fields.get_mut("func_response")
        && !response.is_string()
    {
        *response = response.to_string().into();
    }
    StoredToolReturn::deserialize(Value::Object(fields)).map_err(|error| format!("tool_returns: {error}"))
}

/// Names that things of this server have in a file.
#[derive(Debug, Default)]
pub struct Names {
    agents: HashMap<String, String>,
    groups: HashMap<String, String>,
    messages: HashMap<MessageId, String>,
}

impl Names {
    /// Gives an agent its name.
    pub fn agent(&mut self, id: &AgentId, name: String) {
        self.agents.insert(id.to_string(), name);
    }

    /// Gives a group its name.
    pub fn group(&mut self, id: &GroupId, name: String) {
        self.groups.insert(id.to_string(), name);
    }

    /// Gives a message its name, if others of the file may speak of it.
    pub fn message(&mut self, id: &MessageId, name: &str) {
        self.messages.insert(id.clone(), name.to_owned());
    }

    /// A message's name.
    pub fn of_message(&self, id: &str) -> Option<&str> {
        self.messages.get(&MessageId::trusted(id.to_owned())).map(String::as_str)
    }
}

fn listed<T: serde::Serialize>(items: &[T]) -> Value {
    items.iter().map(|item| json!(item)).collect()
}

/// A content part as other servers wrote it: with every field.
fn written(part: &ContentPart) -> Value {
    let mut value = json!(part);
    if let (ContentPart::Text { .. }, Value::Object(fields)) = (part, &mut value) {
        fields.entry("signature").or_insert(Value::Null);
    }
    value
}

/// Writes a message for the current format.
pub fn write(message: &Message, name: &str, agent: &str, names: &Names) -> Value {
    // What a group says to its agents has the group as its sender.
    let sender =
        message.sender_id.as_ref().map(|id| names.agents.get(id).or_else(|| names.groups.get(id)).unwrap_or(id));
    json!({
        "type": "message",
        "role": message.role,
        "content": message.content.iter().map(written).collect::<Vec<_>>(),
        "name": message.name,
        "otid": message.otid,
        "sender_id": sender,
        "batch_item_id": message.batch_item_id,
        "group_id": message.group_id.as_ref().and_then(|id| names.groups.get(id)),
        "id": name,
        "model": message.model,
        "agent_id": agent,
        "tool_calls": message.tool_calls,
        "tool_call_id": message.tool_call_id,
        "tool_returns": listed(&message.tool_returns),
        "created_at": message.created_at.to_rfc3339(),
        "approve": message.approve,
        "approval_request_id": message.approval_request_id.as_deref().and_then(|id| names.of_message(id)),
        "denial_reason": message.denial_reason,
        "approvals": message.approvals.as_deref().unwrap_or_default(),
    })
}

/// Writes a message for the older format.
pub fn write_legacy(message: &Message) -> Value {
    let updated_at = message.updated_at.unwrap_or(message.created_at);
    let mut fields = Map::new();
    for (key, value) in [
        ("created_at", json!(message.created_at.to_rfc3339())),
        ("group_id", Value::Null),
        ("model", json!(message.model)),
        ("name", json!(message.name)),
        ("role", json!(message.role)),
        ("content", message.content.iter().map(written).collect()),
        ("tool_call_id", json!(message.tool_call_id)),
        ("tool_calls", json!(message.tool_calls.as_deref().unwrap_or_default())),
        ("tool_returns", listed(&message.tool_returns)),
        ("updated_at", json!(updated_at.to_rfc3339())),
    ] {
        fields.insert(key.into(), value);
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn place(agent: &AgentId) -> Place<'_> {
        let at = chrono::Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap();
        Place { id: MessageId::from_uuid(Uuid::nil()), agent, at, spare: Uuid::nil() }
    }

    fn object(value: Value) -> JsonObject {
        match value {
            Value::Object(fields) => fields,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn messages_of_older_servers_are_read() {
        let agent = AgentId::from_uuid(Uuid::nil());
        let said = read(&object(json!({"role": "user", "text": "hi", "tool_calls": null})), place(&agent)).unwrap();
        assert_eq!((said.text().as_str(), said.tool_calls), ("hi", None));
        let call = json!({"role": "assistant", "content": null, "tool_calls": [
            {"id": "", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]});
        let call = read(&object(call), place(&agent)).unwrap().tool_calls.unwrap();
        assert_eq!((call[0].function.arguments.as_str(), call[0].id.starts_with("call_")), (r#"{"a":1}"#, true));
        let thought =
            json!({"role": "assistant", "content": [{"type": "reasoning", "reasoning": "hm"}, {"text": "x"}]});
        assert_eq!(read(&object(thought), place(&agent)).unwrap().content.len(), 2);
        let returned = json!({"role": "tool", "content": "ok", "tool_call_id": "c", "tool_returns": [
            {"stdout": null, "func_response": {"a": 1}}]});
        let returned = read(&object(returned), place(&agent)).unwrap();
        assert_eq!(returned.tool_returns[0].func_response.as_deref(), Some(r#"{"a":1}"#));
    }

    #[test]
    fn what_is_wrong_with_a_message_is_said() {
        let agent = AgentId::from_uuid(Uuid::nil());
        for (message, reason) in [
            (json!({}), "it has no role"),
            (json!({"role": "narrator"}), "there is no role 'narrator'"),
            (json!({"role": "user", "content": 3}), "content"),
            (json!({"role": "user", "content": [{"type": "hologram"}]}), "hologram"),
            (json!({"role": "user", "created_at": "soon"}), "'soon' is no time"),
            (json!({"role": "assistant", "tool_calls": [{"id": "x"}]}), "a call has no name"),
        ] {
            let fault = read(&object(message.clone()), place(&agent)).unwrap_err();
            assert!(fault.contains(reason), "{message}: {fault}");
        }
    }
}
