//! A run as spans: the whole of it, its steps, and in each the model call and the tools.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use mneme_domain::{
    Actor, EntityId, JsonObject, Page, RunId,
    run::{Run, RunStatus},
    step::{Step, StepMetrics, StepStatus},
};
use mneme_store::steps::{self, StepFilter};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{Core, Result};

/// A part of a run, under the names that tables of OpenTelemetry's spans have.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Span {
    /// When it began.
    pub timestamp: DateTime<Utc>,
    /// The run, in 32 hexadecimal digits.
    pub trace_id: String,
    /// In 16 hexadecimal digits.
    pub span_id: String,
    /// The part that it belongs to; empty for the whole run.
    pub parent_span_id: String,
    /// `run`, `time_to_first_token`, `agent_step`, `llm_request` or `tool_execution`.
    pub span_name: String,
    /// Nanoseconds; 0 for what goes on.
    pub duration: i64,
    /// `Ok`, `Error`, or `Unset` for what goes on.
    pub status_code: String,
    /// What is known of it.
    #[schema(value_type = Object)]
    pub span_attributes: JsonObject,
}

impl Core {
    /// The spans of a run, the whole first, then its steps in their order.
    ///
    /// # Errors
    /// 404 for an unknown run.
    pub async fn run_trace(self: &Arc<Self>, actor: &Actor, id: &RunId, limit: usize) -> Result<Vec<Span>> {
        let run = self.get_run(actor, id).await?;
        let filter = StepFilter { run_id: Some(id.clone()), ..StepFilter::default() };
        let mut conn = self.store.read().await?;
        let found = steps::list(&mut conn, actor, &filter, &Page::all()).await?;
        let mut spans = of_run(&run);
        for step in &found {
            if spans.len() >= limit {
                break;
            }
            let metrics = steps::metrics(&mut conn, actor, &step.id).await?;
            spans.extend(of_step(&run, step, metrics.as_ref()));
        }
        spans.truncate(limit);
        Ok(spans)
    }
}

fn of_run(run: &Run) -> Vec<Span> {
    let whole = Span {
        timestamp: run.created_at,
        trace_id: digits(run.id.as_str()),
        span_id: span_id(run.id.as_str(), 0),
        parent_span_id: String::new(),
        span_name: "run".into(),
        duration: run.total_duration_ns.unwrap_or_default(),
        status_code: match run.status {
            RunStatus::Created | RunStatus::Running => "Unset",
            RunStatus::Completed => "Ok",
            RunStatus::Failed | RunStatus::Cancelled => "Error",
        }
        .into(),
        span_attributes: attributes(json!({
            "run.id": run.id, "run.status": run.status, "run.stop_reason": run.stop_reason, "agent.id": run.agent_id,
        })),
    };
    let first = run.ttft_ns.map(|took| Span {
        span_id: span_id(run.id.as_str(), 1),
        parent_span_id: whole.span_id.clone(),
        span_name: "time_to_first_token".into(),
        duration: took,
        status_code: "Ok".into(),
        span_attributes: JsonObject::default(),
        ..whole.clone()
    });
    std::iter::once(whole).chain(first).collect()
}

fn of_step(run: &Run, step: &Step, metrics: Option<&StepMetrics>) -> Vec<Span> {
    let began = metrics.and_then(|metrics| metrics.step_start_ns).map(DateTime::from_timestamp_nanos);
    let whole = Span {
        timestamp: began.unwrap_or(step.created_at),
        trace_id: digits(run.id.as_str()),
        span_id: span_id(step.id.as_str(), 0),
        parent_span_id: span_id(run.id.as_str(), 0),
        span_name: "agent_step".into(),
        duration: metrics.and_then(|metrics| metrics.step_ns).unwrap_or_default(),
        status_code: match step.status {
            None | Some(StepStatus::Pending) => "Unset",
            Some(StepStatus::Success) => "Ok",
            Some(StepStatus::Failed | StepStatus::Cancelled) => "Error",
        }
        .into(),
        span_attributes: attributes(json!({
            "step.id": step.id, "step.stop_reason": step.stop_reason, "step.error_type": step.error_type,
        })),
    };
    let Some(metrics) = metrics else { return vec![whole] };
    let asked = metrics.llm_request_start_ns.or(metrics.step_start_ns);
    let part = |nth, name: &str, start: Option<i64>, took: i64, about| Span {
        timestamp: start.map_or(whole.timestamp, DateTime::from_timestamp_nanos),
        span_id: span_id(step.id.as_str(), nth),
        parent_span_id: whole.span_id.clone(),
        span_name: name.to_owned(),
        duration: took,
        span_attributes: attributes(about),
        ..whole.clone()
    };
    let about = json!({
        "llm.model": step.model, "llm.provider": step.provider_name, "llm.prompt_tokens": step.prompt_tokens,
        "llm.completion_tokens": step.completion_tokens,
    });
    let call = metrics.llm_request_ns.map(|took| part(1, "llm_request", asked, took, about));
    let tools = metrics.tool_execution_ns.filter(|took| *took > 0).map(|took| {
        let answered = asked.zip(metrics.llm_request_ns).and_then(|(start, took)| start.checked_add(took));
        part(2, "tool_execution", answered, took, json!({}))
    });
    std::iter::once(whole.clone()).chain(call).chain(tools).collect()
}

/// The digits of an identifier.
fn digits(id: &str) -> String {
    id.split_once('-').map_or(id, |(_, uuid)| uuid).replace('-', "")
}

/// The span with a number of the run or the step with an identifier. The second half of identifiers is random.
fn span_id(id: &str, nth: u64) -> String {
    let half = digits(id).get(16..).and_then(|half| u64::from_str_radix(half, 16).ok()).unwrap_or_default();
    format!("{:016x}", half.wrapping_add(nth))
}

fn attributes(about: Value) -> JsonObject {
    match about {
        Value::Object(fields) => fields,
        _ => JsonObject::default(),
    }
}
