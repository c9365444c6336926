//! Messages as stored: what a model said, was told, called and got back.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{AgentId, EntityId, MessageId, RunId, StepId, content::ContentPart};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MessageRole {
    /// The model.
    Assistant,
    /// Whoever talks to the agent.
    User,
    /// A tool.
    Tool,
    /// A function (an older name of a tool).
    Function,
    /// The instructions.
    System,
    /// A request for approval, or the answer to one.
    Approval,
}

impl MessageRole {
    /// The API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assistant => "assistant",
            Self::User => "user",
            Self::Tool => "tool",
            Self::Function => "function",
            Self::System => "system",
            Self::Approval => "approval",
        }
    }

    /// Reads the API's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "assistant" => Self::Assistant,
            "user" => Self::User,
            "tool" => Self::Tool,
            "function" => Self::Function,
            "system" => Self::System,
            "approval" => Self::Approval,
            _ => return None,
        })
    }
}

/// Characters of what tools gave back that searches look through.
const MOST_RETURNED: usize = 10_000;

/// The function of a stored tool call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FunctionCall {
    /// JSON text, exactly as the model wrote it.
    pub arguments: String,
    /// The tool.
    pub name: String,
}

/// A stored tool call, in the shape of OpenAI's API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoredToolCall {
    /// The provider's id of the call.
    pub id: String,
    /// What is called.
    pub function: FunctionCall,
    /// Always `function`.
    #[serde(rename = "type", default = "function_type")]
    pub kind: String,
}

fn function_type() -> String {
    "function".into()
}

impl StoredToolCall {
    /// A call.
    pub fn new(id: impl Into<String>, name: impl Into<String>, arguments: impl Into<String>) -> Self {
        let function = FunctionCall { arguments: arguments.into(), name: name.into() };
        Self { id: id.into(), function, kind: function_type() }
    }
}

/// Whether a tool did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ToolStatus {
    /// It did.
    Success,
    /// It did not; the return says why.
    Error,
}

/// What a tool gave back, as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StoredToolReturn {
    /// The call it answers.
    #[serde(default)]
    pub tool_call_id: Option<String>,
    /// Whether it worked.
    pub status: ToolStatus,
    /// What it printed.
    #[serde(default)]
    pub stdout: Option<Vec<String>>,
    /// What it printed to its error stream.
    #[serde(default)]
    pub stderr: Option<Vec<String>>,
    /// The return value as the model reads it.
    #[serde(default)]
    pub func_response: Option<String>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// Identifier.
    #[schema(value_type = String)]
    pub id: MessageId,
    /// The agent whose history it is in.
    #[schema(value_type = String)]
    pub agent_id: AgentId,
    /// The model that wrote it.
    pub model: Option<String>,
    /// Who speaks.
    pub role: MessageRole,
    /// What is said.
    pub content: Vec<ContentPart>,
    /// The speaker's name, or the tool's.
    pub name: Option<String>,
    /// Tools that the model calls.
    pub tool_calls: Option<Vec<StoredToolCall>>,
    /// The call that a tool message answers.
    pub tool_call_id: Option<String>,
    /// The step that made it.
    #[schema(value_type = Option<String>)]
    pub step_id: Option<StepId>,
    /// The run that it belongs to.
    #[schema(value_type = Option<String>)]
    pub run_id: Option<RunId>,
    /// A client's own id of the message.
    pub otid: Option<String>,
    /// What tools gave back.
    pub tool_returns: Vec<StoredToolReturn>,
    pub group_id: Option<String>,
    /// The identity or agent that sent it.
    pub sender_id: Option<String>,
    pub batch_item_id: Option<String>,
    /// Whether it belongs to a step that failed.
    pub is_err: Option<bool>,
    pub approval_request_id: Option<String>,
    pub approve: Option<bool>,
    pub denial_reason: Option<String>,
    #[schema(value_type = Option<Vec<Object>>)]
    pub approvals: Option<Vec<Value>>,
}

impl Message {
    /// An empty message of a role.
    pub fn new(id: MessageId, agent_id: AgentId, role: MessageRole, created_at: DateTime<Utc>) -> Self {
        Self {
            created_by_id: None,
            last_updated_by_id: None,
            created_at,
            updated_at: Some(created_at),
            id,
            agent_id,
            model: None,
            role,
            content: Vec::new(),
            name: None,
            tool_calls: None,
            tool_call_id: None,
            step_id: None,
            run_id: None,
            otid: None,
            tool_returns: Vec::new(),
            group_id: None,
            sender_id: None,
            batch_item_id: None,
            is_err: None,
            approval_request_id: None,
            approve: None,
            denial_reason: None,
            approvals: None,
        }
    }

    /// The words of the message.
    pub fn text(&self) -> String {
        crate::content::text_of(&self.content)
    }

    /// What is said in the message: its words, what the older architectures' answering tool says, and how what tools gave
    /// back begins. Searches find it by that.
    pub fn said(&self) -> String {
        let mut said = self.text();
        // What a search gave back would be found again and again.
        if self.role == MessageRole::Tool
            && said.is_empty()
            && !matches!(self.name.as_deref(), Some("conversation_search" | "send_message"))
        {
            let returned = self.tool_returns.iter().filter_map(|one| one.func_response.as_deref());
            let returned = returned.collect::<Vec<_>>().join("\n");
            said.extend(returned.chars().take(MOST_RETURNED));
        }
        for call in self.tool_calls.iter().flatten().filter(|call| call.function.name == "send_message") {
            let arguments: Option<Value> = serde_json::from_str(&call.function.arguments).ok();
            if let Some(Value::String(answer)) = arguments.as_ref().and_then(|arguments| arguments.get("message")) {
                if !said.is_empty() {
                    said.push('\n');
                }
                said.push_str(answer);
            }
        }
        said
    }

    /// The id that clients use to match a part of this message across stream and list: the message's UUID
    /// with its low seven bits replaced by the part's index.
    pub fn part_otid(&self, index: u8) -> String {
        part_otid(&self.id, index)
    }
}

/// See [`Message::part_otid`].
pub fn part_otid(id: &MessageId, index: u8) -> String {
    let text = id.as_str().strip_prefix("message-").unwrap_or(id.as_str());
    let Ok(uuid) = Uuid::parse_str(text) else {
        return text.to_owned();
    };
    let mut bytes = uuid.into_bytes();
    bytes[15] = (bytes[15] & 0x80) | (index & 0x7f);
    Uuid::from_bytes(bytes).hyphenated().to_string()
}
