//! Messages as clients read them: one stored message becomes one or more envelopes, in lists and in streams.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IntoDeserializer, Visitor},
};
use utoipa::ToSchema;

use crate::{JsonObject, MessageId, RunId, StepId, compaction::CompactionStats, content::Content, message::ToolStatus};

/// The kinds of envelopes, in the API's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageType {
    SystemMessage,
    UserMessage,
    AssistantMessage,
    ReasoningMessage,
    HiddenReasoningMessage,
    ToolCallMessage,
    ToolReturnMessage,
    ApprovalRequestMessage,
    ApprovalResponseMessage,
    /// What stands for messages that left the context, told while that happens. Histories have it as a user's message.
    SummaryMessage,
    /// Something that happens beside the messages. Histories have none.
    EventMessage,
}

/// Kinds that no history has.
const UNMADE: [&str; 2] = ["summary_message", "event_message"];

/// A kind that a client wants to see of a history.
struct Wanted(Option<MessageType>);

impl<'de> Deserialize<'de> for Wanted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(WantedName)
    }
}

struct WantedName;

impl Visitor<'_> for WantedName {
    type Value = Wanted;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a kind of message")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Wanted, E> {
        if UNMADE.contains(&name) {
            return Ok(Wanted(None));
        }
        MessageType::deserialize(name.into_deserializer()).map(|kind| Wanted(Some(kind)))
    }
}

/// Reads a list of kinds that a client wants to see of a history. Those that no history has ask for nothing.
///
/// # Errors
/// For names that are no kind.
pub fn wanted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<MessageType>>, D::Error> {
    let wanted: Vec<Wanted> = Vec::deserialize(deserializer)?;
    Ok(Some(wanted.into_iter().filter_map(|Wanted(kind)| kind).collect()))
}

/// Whether reasoning came from the model itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningSource {
    /// A reasoning model's own thoughts.
    ReasonerModel,
    /// Thoughts asked for in a tool argument or beside a call.
    NonReasonerModel,
}

/// Why hidden reasoning is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HiddenState {
    /// Encrypted by the provider.
    Redacted,
    /// Left out by the provider.
    Omitted,
}

/// A tool call, whole, or a piece of one in a token stream (then parts may be null).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ToolCallView {
    /// The tool.
    pub name: Option<String>,
    /// JSON text.
    pub arguments: Option<String>,
    /// The provider's id of the call.
    pub tool_call_id: Option<String>,
}

/// What a tool gave back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ToolReturnView {
    /// Always `tool`.
    #[serde(rename = "type", default = "tool_type")]
    pub kind: String,
    /// The value as the model reads it.
    pub tool_return: String,
    /// Whether it worked.
    pub status: ToolStatus,
    /// The call it answers.
    pub tool_call_id: String,
    /// What it printed.
    #[serde(default)]
    pub stdout: Option<Vec<String>>,
    /// What it printed to its error stream.
    #[serde(default)]
    pub stderr: Option<Vec<String>>,
}

fn tool_type() -> String {
    "tool".into()
}

/// What an envelope holds beside its head.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Body {
    /// System and summary messages.
    System { content: String },
    /// User messages.
    User { content: Content },
    /// Assistant messages.
    Assistant { content: Content },
    /// Thoughts.
    Reasoning { source: ReasoningSource, reasoning: String, signature: Option<String> },
    /// Thoughts that the provider hides.
    HiddenReasoning { state: HiddenState, hidden_reasoning: Option<String> },
    /// Calls of tools; the first stands alone for older clients.
    ToolCall { tool_call: ToolCallView, tool_calls: Option<Vec<ToolCallView>> },
    /// Returns of tools; the first is spelled out for older clients.
    ToolReturn {
        tool_return: String,
        status: ToolStatus,
        tool_call_id: String,
        stdout: Option<Vec<String>>,
        stderr: Option<Vec<String>>,
        tool_returns: Vec<ToolReturnView>,
    },
    /// Calls that wait for approval.
    ApprovalRequest { tool_call: ToolCallView, tool_calls: Option<Vec<ToolCallView>> },
    /// The answer to such a request.
    ApprovalResponse {
        #[schema(value_type = Option<Vec<Object>>)]
        approvals: Option<Vec<serde_json::Value>>,
        approve: Option<bool>,
        approval_request_id: Option<String>,
        reason: Option<String>,
    },
    /// Something that happens beside the messages.
    Event {
        /// `compaction`.
        event_type: &'static str,
        #[schema(value_type = Object)]
        event_data: JsonObject,
    },
    /// What stands for messages that left the context.
    Summary { summary: String, compaction_stats: Option<CompactionStats> },
}

/// One message as a client reads it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Envelope {
    /// The stored message's identifier; all envelopes of one message share it.
    #[schema(value_type = String)]
    pub id: MessageId,
    /// When, in whole seconds.
    #[serde(serialize_with = "whole_seconds")]
    pub date: DateTime<Utc>,
    /// The speaker's or tool's name.
    pub name: Option<String>,
    /// Which kind.
    pub message_type: MessageType,
    /// Matches an envelope across stream and list.
    pub otid: Option<String>,
    /// Who sent it.
    pub sender_id: Option<String>,
    /// The step that made it.
    #[schema(value_type = Option<String>)]
    pub step_id: Option<StepId>,
    /// Whether it belongs to a failed step.
    pub is_err: Option<bool>,
    /// Place in a resumable stream, from 1.
    pub seq_id: Option<i64>,
    /// The run it belongs to.
    #[schema(value_type = Option<String>)]
    pub run_id: Option<RunId>,
    /// The rest, by kind.
    #[serde(flatten)]
    pub body: Body,
}

fn whole_seconds<S: serde::Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.format("%Y-%m-%dT%H:%M:%S+00:00"))
}
