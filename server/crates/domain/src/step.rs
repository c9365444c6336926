//! Steps: one model call with the tool calls that it asked for.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{AgentId, JsonObject, RunId, StepId, TraceId, message::Message, run::StopReason};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepStatus {
    /// Under way.
    Pending,
    /// As it should.
    Success,
    /// By an error.
    Failed,
    /// By a client.
    Cancelled,
}

impl StepStatus {
    /// The API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the API's name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Success, Self::Failed, Self::Cancelled].into_iter().find(|status| status.as_str() == name)
    }
}

/// A developer's judgement of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Feedback {
    Positive,
    Negative,
}

impl Feedback {
    /// The API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
        }
    }

    /// Reads the API's name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "positive" => Some(Self::Positive),
            "negative" => Some(Self::Negative),
            _ => None,
        }
    }
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// Identifier.
    #[schema(value_type = String)]
    pub id: StepId,
    /// The interface that began it.
    pub origin: Option<String>,
    pub organization_id: Option<String>,
    pub provider_id: Option<String>,
    /// The run that it is part of.
    #[schema(value_type = Option<String>)]
    pub run_id: Option<RunId>,
    #[schema(value_type = Option<String>)]
    pub agent_id: Option<AgentId>,
    pub provider_name: Option<String>,
    pub provider_category: Option<String>,
    /// The provider's name of the model.
    pub model: Option<String>,
    pub model_endpoint: Option<String>,
    /// Tokens that fit into the model's window.
    pub context_window_limit: Option<i64>,
    pub completion_tokens: Option<i64>,
    pub prompt_tokens: Option<i64>,
    pub total_tokens: Option<i64>,
    #[schema(value_type = Option<Object>)]
    pub completion_tokens_details: Option<JsonObject>,
    pub stop_reason: Option<StopReason>,
    pub tags: Vec<String>,
    pub tid: Option<String>,
    pub trace_id: Option<String>,
    /// Always empty; the step's messages have their own route.
    pub messages: Vec<Message>,
    pub feedback: Option<Feedback>,
    pub project_id: Option<String>,
    /// What kind of error ended it.
    pub error_type: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub error_data: Option<JsonObject>,
    pub status: Option<StepStatus>,
    /// When it began; not shown, orders lists.
    #[serde(skip)]
    pub created_at: DateTime<Utc>,
}

/// The measures of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepMetrics {
    /// The step's identifier.
    #[schema(value_type = String)]
    pub id: StepId,
    pub provider_id: Option<String>,
    #[schema(value_type = Option<String>)]
    pub run_id: Option<RunId>,
    #[schema(value_type = Option<String>)]
    pub agent_id: Option<AgentId>,
    /// Nanoseconds since 1970.
    pub step_start_ns: Option<i64>,
    /// Nanoseconds since 1970.
    pub llm_request_start_ns: Option<i64>,
    /// Nanoseconds in the model call.
    pub llm_request_ns: Option<i64>,
    /// Nanoseconds in tools.
    pub tool_execution_ns: Option<i64>,
    /// Nanoseconds in all.
    pub step_ns: Option<i64>,
    pub base_template_id: Option<String>,
    pub template_id: Option<String>,
    pub project_id: Option<String>,
}

/// What was sent to the provider and what came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderTrace {
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: Option<DateTime<Utc>>,
    /// Identifier.
    #[schema(value_type = String)]
    pub id: TraceId,
    /// The request's body.
    #[schema(value_type = Object)]
    pub request_json: Value,
    /// The response's body; of a stream, the answer put together.
    #[schema(value_type = Object)]
    pub response_json: Value,
    #[schema(value_type = Option<String>)]
    pub step_id: Option<StepId>,
}

/// Tokens of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TurnUsage {
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
    pub total_tokens: i64,
    pub step_count: i64,
}
