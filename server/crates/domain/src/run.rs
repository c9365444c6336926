//! Runs: one turn of an agent, from the message that starts it to its stop reason.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AgentId, JsonObject, RunId, envelope::MessageType};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Recorded, not begun.
    Created,
    /// Under way.
    Running,
    /// Ended as it should.
    Completed,
    /// Ended by an error.
    Failed,
    /// Ended by a client.
    Cancelled,
}

impl RunStatus {
    /// The API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the API's name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Created, Self::Running, Self::Completed, Self::Failed, Self::Cancelled]
            .into_iter()
            .find(|status| status.as_str() == name)
    }

    /// Whether the run is over.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// Why a turn ended, in the API's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The model had nothing more to do.
    EndTurn,
    /// Something in the server failed.
    Error,
    /// The provider failed.
    LlmApiError,
    /// The model's answer could not be used.
    InvalidLlmResponse,
    /// The model called a tool in a way that could not be used.
    InvalidToolCall,
    /// The step limit was reached.
    MaxSteps,
    /// An older architecture's model called no tool.
    NoToolCall,
    /// A tool rule ended the turn.
    ToolRule,
    /// A client cancelled it.
    Cancelled,
    /// A tool call waits for approval.
    RequiresApproval,
}

impl StopReason {
    /// The API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EndTurn => "end_turn",
            Self::Error => "error",
            Self::LlmApiError => "llm_api_error",
            Self::InvalidLlmResponse => "invalid_llm_response",
            Self::InvalidToolCall => "invalid_tool_call",
            Self::MaxSteps => "max_steps",
            Self::NoToolCall => "no_tool_call",
            Self::ToolRule => "tool_rule",
            Self::Cancelled => "cancelled",
            Self::RequiresApproval => "requires_approval",
        }
    }

    /// Reads the API's name.
    pub fn from_name(name: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
    }
}

/// How a run's messages are to be shown; kept with the run so that a later reader sees the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RequestConfig {
    /// Show a call of the answering tool as an assistant message.
    pub use_assistant_message: bool,
    /// The answering tool.
    pub assistant_message_tool_name: String,
    /// Its argument that holds the answer.
    pub assistant_message_tool_kwarg: String,
    /// Only these kinds, when given.
    #[serde(default)]
    pub include_return_message_types: Option<Vec<MessageType>>,
    /// Tell of it when older messages leave the context.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub include_compaction_messages: bool,
}

impl Default for RequestConfig {
    fn default() -> Self {
        Self {
            use_assistant_message: true,
            assistant_message_tool_name: "send_message".into(),
            assistant_message_tool_kwarg: "message".into(),
            include_return_message_types: None,
            include_compaction_messages: false,
        }
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    /// Identifier.
    #[schema(value_type = String)]
    pub id: RunId,
    /// Where it stands.
    pub status: RunStatus,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Whose turn it is.
    #[schema(value_type = String)]
    pub agent_id: AgentId,
    pub base_template_id: Option<String>,
    /// Whether it goes on without its client.
    pub background: Option<bool>,
    /// What kind of request began it, and the error that ended it.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    /// How its messages are shown.
    pub request_config: Option<RequestConfig>,
    /// Why it ended.
    pub stop_reason: Option<StopReason>,
    /// Who is told when it ends.
    pub callback_url: Option<String>,
    pub callback_sent_at: Option<DateTime<Utc>>,
    pub callback_status_code: Option<i64>,
    pub callback_error: Option<String>,
    /// Nanoseconds to the model's first token.
    pub ttft_ns: Option<i64>,
    /// Nanoseconds from its record to its end.
    pub total_duration_ns: Option<i64>,
}

/// The measures of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunMetrics {
    /// The run's identifier.
    #[schema(value_type = String)]
    pub id: RunId,
    #[schema(value_type = String)]
    pub agent_id: AgentId,
    pub project_id: Option<String>,
    /// Nanoseconds since 1970.
    pub run_start_ns: Option<i64>,
    /// Nanoseconds that it took.
    pub run_ns: Option<i64>,
    /// Model calls.
    pub num_steps: Option<i64>,
    /// Identifiers of the tools that were called.
    pub tools_used: Option<Vec<String>>,
    pub template_id: Option<String>,
    pub base_template_id: Option<String>,
}
