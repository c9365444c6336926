//! Bodies that start or preview a turn.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{JsonObject, content::Content, envelope::MessageType, message::MessageRole, run::RequestConfig};

/// Steps that a turn may take unless the request says otherwise.
pub const DEFAULT_MAX_STEPS: u32 = 50;

/// Who an incoming message is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum InputRole {
    User,
    System,
    Assistant,
}

impl From<InputRole> for MessageRole {
    fn from(role: InputRole) -> Self {
        match role {
            InputRole::User => Self::User,
            InputRole::System => Self::System,
            InputRole::Assistant => Self::Assistant,
        }
    }
}

/// A message to an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MessageCreate {
    /// Who speaks.
    pub role: InputRole,
    /// What is said.
    pub content: Content,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub otid: Option<String>,
    #[serde(default)]
    pub sender_id: Option<String>,
    #[serde(default)]
    pub batch_item_id: Option<String>,
    #[serde(default)]
    pub group_id: Option<String>,
}

fn yes() -> bool {
    true
}
fn max_steps() -> u32 {
    DEFAULT_MAX_STEPS
}
fn tool_name() -> String {
    RequestConfig::default().assistant_message_tool_name
}
fn tool_kwarg() -> String {
    RequestConfig::default().assistant_message_tool_kwarg
}

/// The answer to a request for approval: one verdict for all its calls (the older form), or a list with one entry for
/// each call, which is either a verdict (`type: approval`) or what the client's own run of the tool gave (`type: tool`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalCreate {
    /// Always `approval`.
    #[serde(rename = "type")]
    pub kind: String,
    /// One entry for each call that waits.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub approvals: Option<Vec<serde_json::Value>>,
    /// The verdict on all calls.
    #[serde(default)]
    pub approve: Option<bool>,
    /// The message that asked.
    #[serde(default)]
    pub approval_request_id: Option<String>,
    /// Why the calls are denied.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A tool that the client runs: the turn pauses for what it returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClientTool {
    /// The name that the model calls it by; it goes before a tool of the agent with that name.
    pub name: String,
    /// What it does.
    #[serde(default)]
    pub description: Option<String>,
    /// JSON schema of its arguments.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub parameters: Option<serde_json::Value>,
}

/// What the client's surroundings can do, told to the model in the system prompt of one turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClientSkill {
    /// What it is called.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Where its instructions are, such as `skills/letters/SKILL.md`.
    pub location: String,
}

/// What a client sends to talk to an agent; the streaming fields are ignored where there is no stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SendRequest {
    /// The messages. Either this or `input` is needed.
    #[serde(default)]
    #[schema(value_type = Option<Vec<MessageCreate>>)]
    pub messages: Option<Vec<serde_json::Value>>,
    /// A user message by itself, as newer clients may send it.
    #[serde(default)]
    pub input: Option<Content>,
    /// Model calls that the turn may take.
    #[serde(default = "max_steps")]
    pub max_steps: u32,
    #[serde(default = "yes")]
    pub use_assistant_message: bool,
    #[serde(default = "tool_name")]
    pub assistant_message_tool_name: String,
    #[serde(default = "tool_kwarg")]
    pub assistant_message_tool_kwarg: String,
    /// Only these kinds come back, when given.
    #[serde(default)]
    pub include_return_message_types: Option<Vec<MessageType>>,
    /// Tell of it when older messages leave the context: that it begins (`event_message`), and what stands for them
    /// (`summary_message`).
    #[serde(default)]
    pub include_compaction_messages: Option<bool>,
    /// Answer with a stream (newer clients, on the plain route).
    #[serde(default)]
    pub streaming: Option<bool>,
    /// Stream tokens as they come, not whole messages.
    #[serde(default)]
    pub stream_tokens: Option<bool>,
    /// Send keep-alive events while nothing else happens.
    #[serde(default)]
    pub include_pings: Option<bool>,
    /// Go on without the client; the stream can be resumed.
    #[serde(default)]
    pub background: Option<bool>,
    /// Who is told when an asynchronous run ends.
    #[serde(default)]
    pub callback_url: Option<String>,
    /// Tools that the client runs itself, for this turn.
    #[serde(default)]
    pub client_tools: Option<Vec<ClientTool>>,
    /// The handle of another model than the agent's, for this turn.
    #[serde(default)]
    pub override_model: Option<String>,
    /// Another system prompt than the agent's, for this turn. The model gets it as it is, without memory blocks.
    #[serde(default)]
    pub override_system: Option<String>,
    /// Skills that the model is told of in the system prompt, for this turn.
    #[serde(default)]
    pub client_skills: Option<Vec<ClientSkill>>,
    /// Tell the log probabilities of the tokens of the turn's last answer, where the provider does. Answers that are
    /// streamed have none.
    #[serde(default)]
    pub return_logprobs: Option<bool>,
    /// How many other tokens to tell at each place, 0 to 20.
    #[serde(default)]
    pub top_logprobs: Option<u8>,
    /// `false` asks a model that reasons by choice not to, for this turn. The description has it as a text.
    #[serde(default, deserialize_with = "flag")]
    #[schema(value_type = Option<String>)]
    pub enable_thinking: Option<bool>,
}

/// A truth value that the description calls a text, whatever its words.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::Bool(flag)) => Some(flag),
        Some(Value::String(text)) if !text.is_empty() => {
            Some(!matches!(text.to_ascii_lowercase().as_str(), "false" | "0" | "no" | "off"))
        }
        _ => None,
    })
}

impl SendRequest {
    /// How the turn's messages are to be shown.
    pub fn config(&self) -> RequestConfig {
        RequestConfig {
            use_assistant_message: self.use_assistant_message,
            assistant_message_tool_name: self.assistant_message_tool_name.clone(),
            assistant_message_tool_kwarg: self.assistant_message_tool_kwarg.clone(),
            include_return_message_types: self.include_return_message_types.clone(),
            include_compaction_messages: self.include_compaction_messages.unwrap_or(false),
        }
    }
}

/// The body of a message's modification: the kind decides which field holds the new text.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(tag = "message_type", rename_all = "snake_case")]
pub enum MessageUpdate {
    SystemMessage { content: String },
    UserMessage { content: Content },
    ReasoningMessage { reasoning: String },
    AssistantMessage { content: Content },
}

/// A modification as clients send it. The kind may be left out, as older clients do: then a message's own role and the
/// name of the field tell what is meant.
#[derive(Debug, Clone, PartialEq)]
pub enum MessageEdit {
    Of(MessageUpdate),
    Content(Content),
}

impl MessageEdit {
    /// What is to be done with a message of this role; none when such a message has nothing of the kind.
    pub fn for_role(self, role: MessageRole) -> Option<MessageUpdate> {
        match (self, role) {
            (Self::Of(update), _) => Some(update),
            (Self::Content(content), MessageRole::User) => Some(MessageUpdate::UserMessage { content }),
            (Self::Content(content), MessageRole::Assistant) => Some(MessageUpdate::AssistantMessage { content }),
            (Self::Content(Content::Text(content)), MessageRole::System) => {
                Some(MessageUpdate::SystemMessage { content })
            }
            (Self::Content(_), _) => None,
        }
    }
}

impl<'de> Deserialize<'de> for MessageEdit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = JsonObject::deserialize(deserializer)?;
        if fields.contains_key("message_type") {
            return MessageUpdate::deserialize(Value::Object(fields)).map(Self::Of).map_err(D::Error::custom);
        }
        if let Some(content) = fields.remove("content") {
            return Content::deserialize(content).map(Self::Content).map_err(D::Error::custom);
        }
        let reasoning = fields.remove("reasoning").ok_or_else(|| D::Error::missing_field("content"))?;
        let reasoning = String::deserialize(reasoning).map_err(D::Error::custom)?;
        Ok(Self::Of(MessageUpdate::ReasoningMessage { reasoning }))
    }
}
