//! A turn as it is recorded: its run, its steps with their measures, what went over the wire.

use std::time::Duration;

use mneme_domain::{
    JsonObject, StepId, Timestamp, TraceId,
    run::{Run, RunStatus, StopReason},
    step::{ProviderTrace, Step, StepMetrics, StepStatus},
};
use mneme_llm::{Completion, FinishReason};
use mneme_store::{runs, runs::RunEnd};

use super::{super::model_call::Served, State, Turn};
use crate::Result;

/// How long the parts of a step took.
pub(super) struct Times {
    pub model: Duration,
    /// `None` when no tool ran.
    pub tools: Option<Duration>,
    pub step: Duration,
}

impl Turn {
    /// Writes the run's record.
    pub async fn record(&self, status: RunStatus) -> Result<Run> {
        let run = self.run_record(status);
        let mut tx = self.core.store.write().await?;
        tx.gather();
        let request = self.request.as_deref();
        runs::lease::insert(&mut tx, &self.actor, &run, &self.core.replica, request).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Writes the run's record as under way, and takes the agent's turn. None when another run has it; the run waits
    /// then.
    pub(super) async fn record_taking(&self) -> Result<Option<runs::lease::Taken>> {
        let run = self.run_record(RunStatus::Created);
        let mut tx = self.core.store.write().await?;
        let taken = runs::lease::insert_taking(&mut tx, &self.actor, &run, &self.core.replica).await?;
        tx.commit().await?;
        Ok(taken)
    }

    fn run_record(&self, status: RunStatus) -> Run {
        let mut metadata = JsonObject::new();
        metadata.insert("run_type".into(), self.sink.run_type().into());
        Run {
            id: self.run_id.clone(),
            status,
            created_at: self.created_at,
            completed_at: None,
            agent_id: self.agent.clone(),
            base_template_id: None,
            background: Some(self.background),
            metadata: Some(metadata),
            request_config: Some(self.config.clone()),
            stop_reason: None,
            callback_url: self.callback_url.clone(),
            callback_sent_at: None,
            callback_status_code: None,
            callback_error: None,
            ttft_ns: None,
            total_duration_ns: None,
        }
    }

    pub(super) fn step_record(
        &self,
        state: &State,
        id: &StepId,
        created_at: Timestamp,
        completion: &Completion,
        served: &Served,
        stop: Option<StopReason>,
    ) -> Step {
        let (prompt, completed, total) = self.tokens(state, completion);
        let details = details(completion, served);
        let mut step = self.bare_step(state, id, created_at);
        let config = &served.config;
        step.provider_name.clone_from(&config.provider_name);
        step.provider_category.clone_from(&config.provider_category);
        step.model = Some(config.model.clone());
        step.model_endpoint.clone_from(&config.model_endpoint);
        step.prompt_tokens = Some(prompt);
        step.completion_tokens = Some(completed);
        step.total_tokens = Some(total);
        step.completion_tokens_details = details;
        step.stop_reason = stop;
        step.status = Some(StepStatus::Success);
        step
    }

    pub(super) fn bare_step(&self, state: &State, id: &StepId, created_at: Timestamp) -> Step {
        let config = &state.agent.llm_config;
        Step {
            id: id.clone(),
            origin: None,
            organization_id: Some(self.actor.org.to_string()),
            provider_id: None,
            run_id: Some(self.run_id.clone()),
            agent_id: Some(self.agent.clone()),
            provider_name: config.provider_name.clone(),
            provider_category: config.provider_category.clone(),
            model: Some(config.model.clone()),
            model_endpoint: config.model_endpoint.clone(),
            context_window_limit: Some(i64::from(config.context_window)),
            completion_tokens: None,
            prompt_tokens: None,
            total_tokens: None,
            completion_tokens_details: None,
            stop_reason: None,
            tags: Vec::new(),
            tid: None,
            trace_id: None,
            messages: Vec::new(),
            feedback: None,
            project_id: state.agent.project_id.clone(),
            error_type: None,
            error_data: None,
            status: None,
            created_at,
        }
    }

    /// The measures of a step.
    pub(super) fn metrics(&self, state: &State, id: &StepId, started_at: Timestamp, times: &Times) -> StepMetrics {
        StepMetrics {
            id: id.clone(),
            provider_id: None,
            run_id: Some(self.run_id.clone()),
            agent_id: Some(self.agent.clone()),
            step_start_ns: started_at.timestamp_nanos_opt(),
            llm_request_start_ns: started_at.timestamp_nanos_opt(),
            llm_request_ns: Some(nanos(times.model)),
            tool_execution_ns: times.tools.map(nanos),
            step_ns: Some(nanos(times.step)),
            base_template_id: None,
            template_id: None,
            project_id: state.agent.project_id.clone(),
        }
    }

    pub(super) fn trace(&self, step: &StepId, completion: &Completion) -> ProviderTrace {
        let now = self.core.env.now();
        ProviderTrace {
            created_by_id: Some(self.actor.user.to_string()),
            last_updated_by_id: Some(self.actor.user.to_string()),
            created_at: now,
            updated_at: Some(now),
            id: TraceId::from_uuid(self.core.env.uuid()),
            request_json: completion.request_json.clone(),
            response_json: completion.response_json.clone(),
            step_id: Some(step.clone()),
        }
    }

    pub(super) fn run_end(&self, state: &State, status: RunStatus, reason: StopReason) -> RunEnd {
        RunEnd {
            status,
            stop_reason: Some(reason),
            completed_at: self.core.env.now(),
            ttft_ns: state.ttft.map(nanos),
            total_duration_ns: Some(nanos(self.began.elapsed())),
            error: None,
        }
    }

    pub(super) fn milliseconds(&self) -> i64 {
        // A finished run took some time, however fast it was.
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX).max(1)
    }
}

/// What the API has no field of its own for: parts of the token counts, what the call cost, and why the model stopped
/// when it was not because it was done.
fn details(completion: &Completion, served: &Served) -> Option<JsonObject> {
    let mut details = JsonObject::new();
    let usage = completion.usage.unwrap_or_default();
    for (name, count) in [
        ("reasoning_tokens", usage.reasoning_tokens),
        ("cached_tokens", usage.cached_tokens),
        ("cache_write_tokens", usage.cache_write_tokens),
    ] {
        if let Some(count) = count {
            details.insert(name.into(), count.into());
        }
    }
    if let Some(cost) = served.cost {
        details.insert("cost_usd".into(), cost.into());
    }
    let ended = match &completion.finish {
        FinishReason::Stop | FinishReason::ToolCalls => None,
        FinishReason::Length => Some("length"),
        FinishReason::ContentFilter => Some("content_filter"),
        FinishReason::Refusal => Some("refusal"),
        FinishReason::Other(reason) => Some(reason.as_str()),
    };
    if let Some(reason) = ended {
        details.insert("finish_reason".into(), reason.into());
    }
    (!details.is_empty()).then_some(details)
}

/// Whole nanoseconds, as runs and steps keep durations.
pub(super) fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
