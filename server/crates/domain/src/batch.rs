//! Batches: messages for many agents in one request, worked on without their client.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AgentId, BatchId, JsonObject, RunId, UserId,
    ids::EntityId,
    request::SendRequest,
    run::{RunStatus, StopReason},
};

/// What is sent to one agent of a batch; its other fields are those of a message by itself.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct BatchRequest {
    /// Whom it is for.
    #[schema(value_type = String)]
    pub agent_id: AgentId,
    /// What is said, and how the answer is to be shown.
    #[serde(flatten)]
    pub request: SendRequest,
}

/// A new batch.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreateBatch {
    /// One entry for each turn. Several entries for one agent are worked on one after the other.
    pub requests: Vec<BatchRequest>,
    /// Who is told when the batch is over.
    #[serde(default)]
    pub callback_url: Option<String>,
}

/// How many turns of a batch are where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BatchCounts {
    pub total: i64,
    pub completed: i64,
    pub failed: i64,
    pub cancelled: i64,
    /// Not over.
    pub processing: i64,
}

/// A batch as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    pub id: BatchId,
    /// Who made it.
    pub user: UserId,
    pub status: RunStatus,
    /// Turns in it.
    pub counts: BatchCounts,
    pub callback_url: Option<String>,
    pub callback_sent_at: Option<DateTime<Utc>>,
    pub callback_status_code: Option<i64>,
    pub callback_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
}

/// A batch as clients read it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BatchJob {
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: Option<DateTime<Utc>>,
    /// Where it stands. A batch is `failed` when every turn of it failed.
    pub status: RunStatus,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// `cancelled`, `error` when it failed, `end_turn` when it is completed.
    pub stop_reason: Option<StopReason>,
    /// `counts`: how many turns are where.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    /// `batch`.
    pub job_type: &'static str,
    pub background: Option<bool>,
    /// Null: a batch is of many agents.
    pub agent_id: Option<String>,
    pub callback_url: Option<String>,
    pub callback_sent_at: Option<DateTime<Utc>>,
    pub callback_status_code: Option<i64>,
    pub callback_error: Option<String>,
    pub ttft_ns: Option<i64>,
    /// Nanoseconds from its record to its end.
    pub total_duration_ns: Option<i64>,
    /// Identifier.
    #[schema(value_type = String)]
    pub id: BatchId,
}

impl From<Batch> for BatchJob {
    fn from(batch: Batch) -> Self {
        let mut metadata = JsonObject::new();
        metadata.insert("counts".into(), serde_json::to_value(batch.counts).unwrap_or_default());
        let user = batch.user.into_string();
        Self {
            created_by_id: Some(user.clone()),
            last_updated_by_id: Some(user),
            created_at: batch.created_at,
            updated_at: Some(batch.updated_at),
            status: batch.status,
            completed_at: batch.completed_at,
            stop_reason: match batch.status {
                RunStatus::Completed => Some(StopReason::EndTurn),
                RunStatus::Failed => Some(StopReason::Error),
                RunStatus::Cancelled => Some(StopReason::Cancelled),
                RunStatus::Created | RunStatus::Running => None,
            },
            metadata: Some(metadata),
            job_type: "batch",
            background: Some(true),
            agent_id: None,
            callback_url: batch.callback_url,
            callback_sent_at: batch.callback_sent_at,
            callback_status_code: batch.callback_status_code,
            callback_error: batch.callback_error,
            ttft_ns: None,
            total_duration_ns: batch.completed_at.and_then(|end| (end - batch.created_at).num_nanoseconds()),
            id: batch.id,
        }
    }
}

/// The name that the messages of a batch's run carry.
pub fn item_of(run: &RunId) -> String {
    format!("batch_item{}", run.as_str().trim_start_matches(RunId::PREFIX))
}
