//! Jobs: runs without a client, as older clients ask for them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    AgentId, JsonObject, RunId, UserId,
    run::{Run, RunStatus, StopReason},
};

/// A run that goes on without its client, in the words of the jobs routes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Job {
    /// Who began it.
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    pub updated_at: Option<DateTime<Utc>>,
    /// Where it stands.
    pub status: RunStatus,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Why it ended.
    pub stop_reason: Option<StopReason>,
    /// What kind of request began it, and the error that ended it.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    /// `job`.
    pub job_type: &'static str,
    pub background: Option<bool>,
    /// Whose turn it is.
    #[schema(value_type = Option<String>)]
    pub agent_id: Option<AgentId>,
    /// Who is told when it ends.
    pub callback_url: Option<String>,
    pub callback_sent_at: Option<DateTime<Utc>>,
    pub callback_status_code: Option<i64>,
    pub callback_error: Option<String>,
    /// Nanoseconds to the model's first token.
    pub ttft_ns: Option<i64>,
    /// Nanoseconds from its record to its end.
    pub total_duration_ns: Option<i64>,
    /// The run's identifier.
    #[schema(value_type = String)]
    pub id: RunId,
}

impl Job {
    /// A run as a job, with the user who began it.
    pub fn of(run: Run, user: Option<UserId>) -> Self {
        let user = user.map(UserId::into_string);
        Self {
            created_by_id: user.clone(),
            last_updated_by_id: user,
            created_at: run.created_at,
            updated_at: run.completed_at,
            status: run.status,
            completed_at: run.completed_at,
            stop_reason: run.stop_reason,
            metadata: run.metadata,
            job_type: "job",
            background: run.background,
            agent_id: Some(run.agent_id),
            callback_url: run.callback_url,
            callback_sent_at: run.callback_sent_at,
            callback_status_code: run.callback_status_code,
            callback_error: run.callback_error,
            ttft_ns: run.ttft_ns,
            total_duration_ns: run.total_duration_ns,
            id: run.id,
        }
    }
}
