//! How a turn ends that does not come to its own end, and what is remembered of the failure.

use std::time::Instant;

use mneme_domain::{
    JsonObject, StepId, Timestamp,
    run::{RunStatus, StopReason},
    step::StepStatus,
};
use mneme_store::{agents, runs, runs::RunEnd, steps};

use super::{
    State, Turn,
    records::{Times, nanos},
};
use crate::{CoreError, Result};

impl Turn {
    /// Writes a step whose model call failed. Nothing of it enters the history.
    pub(super) async fn record_failed_step(
        &self,
        state: &State,
        id: &StepId,
        created_at: Timestamp,
        began: Instant,
        error: &CoreError,
    ) {
        let mut step = self.bare_step(state, id, created_at);
        step.status = Some(StepStatus::Failed);
        step.stop_reason = Some(StopReason::LlmApiError);
        step.error_type = Some(error_kind(error).into());
        step.error_data = Some(error_data(error));
        let took = began.elapsed();
        let metrics = self.metrics(state, id, created_at, &Times { model: took, tools: None, step: took });
        let written: Result<()> = async {
            let mut tx = self.core.store.write().await?;
            steps::insert(&mut tx, &self.actor, &step, &metrics, None, &[]).await?;
            Ok(tx.commit().await?)
        }
        .await;
        if let Err(error) = written {
            tracing::warn!(%error, "a failed step could not be recorded");
        }
    }

    /// A failure in words that its client can make sense of: what fails because the agent was deleted meanwhile says
    /// so, whichever statement noticed it.
    pub(super) async fn explained(&self, error: CoreError) -> CoreError {
        if !matches!(error, CoreError::Internal(_)) {
            return error;
        }
        let left = async {
            let mut conn = self.core.store.read().await?;
            agents::get(&mut conn, &self.actor, &self.agent).await
        };
        match left.await {
            Ok(None) => CoreError::missing("Agent", &self.agent),
            Ok(Some(_)) | Err(_) => error,
        }
    }

    /// Ends the run when no step of it did.
    pub(super) async fn end_early(&self, status: RunStatus, reason: StopReason, error: Option<&CoreError>) {
        let end = RunEnd {
            status,
            stop_reason: Some(reason),
            completed_at: self.core.env.now(),
            ttft_ns: None,
            total_duration_ns: Some(nanos(self.began.elapsed())),
            error: error.map(error_data),
        };
        let written: Result<()> = async {
            let mut tx = self.core.store.write().await?;
            runs::finish_own(&mut tx, &self.actor, &self.run_id, &end, &self.core.replica).await?;
            Ok(tx.commit().await?)
        }
        .await;
        if let Err(error) = written {
            tracing::warn!(%error, run = %self.run_id, "the end of a run could not be recorded");
        }
    }
}

fn error_kind(error: &CoreError) -> &'static str {
    match error {
        CoreError::Llm(failure) => failure.kind,
        CoreError::Unavailable(_) => "unavailable",
        CoreError::Internal(_) => "internal_error",
        _ => "invalid_request",
    }
}

/// An error as a run or step remembers it; defects of ours keep their text for the log.
pub fn error_data(error: &CoreError) -> JsonObject {
    let text = match error {
        CoreError::Internal(_) => "An internal server error occurred".to_owned(),
        CoreError::ConflictDetail(detail) => detail["message"].as_str().unwrap_or_default().to_owned(),
        other => other.to_string(),
    };
    let mut data = JsonObject::new();
    data.insert("type".into(), error_kind(error).into());
    data.insert("message".into(), text.into());
    data
}
