//! The messages that start a turn, checked.

use mneme_domain::{
    AgentId, Env, MessageId, RunId,
    content::{Content, ContentPart},
    message::{Message, MessageRole},
    request::{ApprovalCreate, InputRole, MessageCreate, SendRequest},
};
use serde_json::Value;

use crate::{CoreError, Result};

/// The newer clients' name for an answer that holds nothing but what their own tools gave.
const TOOL_RETURN: &str = "tool_return";
/// Most messages in one request.
const MAX_MESSAGES: usize = 1000;

/// What starts a turn.
#[derive(Debug, Default)]
pub struct Input {
    /// An answer to the request that the agent waits for; it comes before all messages.
    pub approval: Option<ApprovalCreate>,
    pub messages: Vec<MessageCreate>,
}

impl Input {
    /// The input as a request's `messages`.
    pub fn to_values(&self) -> serde_json::Result<Vec<Value>> {
        let approval = self.approval.iter().map(serde_json::to_value);
        approval.chain(self.messages.iter().map(serde_json::to_value)).collect()
    }
}

/// Takes the input out of a request.
///
/// # Errors
/// 400 for no messages or empty ones, or an approval after something else, 422 for roles and shapes that do not exist.
pub fn parse(request: SendRequest) -> Result<Input> {
    let mut messages = Vec::new();
    let mut approval = None;
    match (request.messages, request.input) {
        (None, None) => {
            return Err(CoreError::Unprocessable {
                loc: vec!["body".into(), "messages".into()],
                kind: "missing".into(),
                msg: "Field required".into(),
            });
        }
        (Some(values), _) if values.len() > MAX_MESSAGES => {
            return Err(CoreError::field("messages", format!("at most {MAX_MESSAGES} messages at once")));
        }
        (Some(values), _) => {
            for (index, value) in values.into_iter().enumerate() {
                if is_approval(&value) {
                    approval = Some(parse_approval(index, value)?);
                } else {
                    messages.push(parse_one(index, value)?);
                }
            }
        }
        (None, Some(content)) => messages.push(MessageCreate {
            role: InputRole::User,
            content,
            name: None,
            otid: None,
            sender_id: None,
            batch_item_id: None,
            group_id: None,
        }),
    }
    if messages.is_empty() && approval.is_none() {
        return Err(CoreError::Invalid("Messages must not be empty".into()));
    }
    if messages.iter().any(|message| message.content.is_empty()) {
        return Err(CoreError::Invalid("Message content is empty or invalid".into()));
    }
    Ok(Input { approval, messages })
}

/// Whether an entry of `messages` answers a request for approval. Older clients may leave out that it does.
pub(super) fn is_approval(value: &Value) -> bool {
    let given = |field: &str| value.get(field).is_some_and(|value| !value.is_null());
    match value.get("type").and_then(Value::as_str) {
        Some(kind) => matches!(kind, "approval" | TOOL_RETURN),
        None => !given("role") && ["approvals", "approve", "approval_request_id"].into_iter().any(given),
    }
}

fn parse_approval(index: usize, mut value: Value) -> Result<ApprovalCreate> {
    if index > 0 {
        return Err(CoreError::Invalid("An approval has to be the first message, and the only one of its kind".into()));
    }
    if let Some(fields) = value.as_object_mut() {
        let returns = fields.remove("tool_returns");
        fields.insert("type".into(), "approval".into());
        if let Some(mut returns) = returns {
            for one in returns.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                one.insert("type".into(), "tool".into());
            }
            fields.insert("approvals".into(), returns);
        }
    }
    serde_json::from_value(value).map_err(|error| CoreError::Unprocessable {
        loc: vec!["body".into(), "messages".into(), index.to_string(), "ApprovalCreate".into()],
        kind: "value_error".into(),
        msg: error.to_string(),
    })
}

fn parse_one(index: usize, mut value: Value) -> Result<MessageCreate> {
    // What the oldest programs call it.
    if value.get("content").is_none_or(Value::is_null)
        && let Some(fields) = value.as_object_mut()
        && let Some(text @ Value::String(_)) = fields.remove("text")
    {
        fields.insert("content".into(), text);
    }
    let loc =
        |field: &str| vec!["body".into(), "messages".into(), index.to_string(), "MessageCreate".into(), field.into()];
    if let Some(role) = value.get("role").and_then(Value::as_str)
        && !matches!(role, "user" | "system" | "assistant")
    {
        let msg = format!("Input should be 'user', 'system' or 'assistant', not '{role}'");
        return Err(CoreError::Unprocessable { loc: loc("role"), kind: "literal_error".into(), msg });
    }
    for field in ["role", "content"] {
        if value.get(field).is_none_or(Value::is_null) {
            return Err(CoreError::Unprocessable {
                loc: loc(field),
                kind: "missing".into(),
                msg: "Field required".into(),
            });
        }
    }
    serde_json::from_value(value).map_err(|error| CoreError::Unprocessable {
        loc: loc("content"),
        kind: "value_error".into(),
        msg: error.to_string(),
    })
}

/// A stored message made of an incoming one.
pub fn to_message(env: &Env, agent: &AgentId, run: Option<&RunId>, create: MessageCreate) -> Message {
    let role = MessageRole::from(create.role);
    let mut message = Message::new(MessageId::from_uuid(env.uuid()), agent.clone(), role, env.now());
    message.content = match create.content {
        Content::Text(text) => vec![ContentPart::text(text)],
        Content::Parts(parts) => parts,
    };
    message.name = create.name;
    message.otid = create.otid;
    message.sender_id = create.sender_id;
    message.batch_item_id = create.batch_item_id;
    message.group_id = create.group_id;
    message.run_id = run.cloned();
    message
}
