//! Jobs: runs without a client, as older clients ask for them, and the reading of files.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    AgentId, JsonObject, UserId,
    folder::{FileMetadata, FileStatus},
    run::{Run, RunStatus, StopReason},
};

/// A run that goes on without its client, or the reading of a file, in the words of the jobs routes.
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
    /// What kind of request began it or which file is read, and the error that ended it.
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
    /// The identifier of the run or the file.
    pub id: String,
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
            id: run.id.to_string(),
        }
    }
}

impl From<FileMetadata> for Job {
    fn from(file: FileMetadata) -> Self {
        let status = match file.processing_status {
            FileStatus::Pending => RunStatus::Created,
            FileStatus::Parsing | FileStatus::Embedding => RunStatus::Running,
            FileStatus::Completed => RunStatus::Completed,
            FileStatus::Error => RunStatus::Failed,
        };
        let is_over = matches!(status, RunStatus::Completed | RunStatus::Failed);
        let mut metadata = JsonObject::new();
        metadata.insert("type".into(), "embedding".into());
        metadata.insert("filename".into(), file.file_name.into());
        metadata.insert("source_id".into(), Value::String(file.source_id.to_string()));
        if let Some(error) = file.error_message {
            metadata.insert("error".into(), error.into());
        }
        Self {
            created_by_id: None,
            last_updated_by_id: None,
            created_at: file.created_at,
            updated_at: file.updated_at,
            status,
            completed_at: file.updated_at.filter(|_| is_over),
            stop_reason: None,
            metadata: Some(metadata),
            job_type: "job",
            background: None,
            agent_id: None,
            callback_url: None,
            callback_sent_at: None,
            callback_status_code: None,
            callback_error: None,
            ttft_ns: None,
            total_duration_ns: None,
            id: file.id.to_string(),
        }
    }
}
