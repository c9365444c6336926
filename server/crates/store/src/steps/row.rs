//! The row of a step, which also holds its measures.

use mneme_domain::{
    AgentId, RunId, StepId, ToolId,
    clock::from_micros,
    run::StopReason,
    step::{Feedback, Step, StepMetrics, StepStatus},
};

use crate::{Result, json, sql::Arg};

/// The columns that [`StepRow`] reads, of `steps s`.
macro_rules! columns {
    () => {
        "s.id, s.org_id, s.agent_id, s.run_id, s.origin, s.provider_id, s.provider_name, s.provider_category, s.model, \
         s.model_endpoint, s.context_window_limit, s.completion_tokens, s.prompt_tokens, s.total_tokens, \
         s.completion_tokens_details, s.stop_reason, s.tags, s.tid, s.trace_id, s.feedback, s.project_id, \
         s.error_type, s.error_data, s.status, s.created_at"
    };
}
pub(crate) use columns;

/// The columns that [`values`] fills, after the organisation.
pub(super) const VALUES: &str = "org_id, id, agent_id, run_id, origin, provider_id, provider_name, provider_category, \
    model, model_endpoint, context_window_limit, completion_tokens, prompt_tokens, total_tokens, \
    completion_tokens_details, stop_reason, tags, tid, trace_id, feedback, project_id, error_type, error_data, status, \
    created_at, step_start_ns, llm_request_start_ns, llm_request_ns, tool_execution_ns, step_ns, base_template_id, \
    template_id, tools_used";

/// A step's values in the order of [`VALUES`].
pub(super) fn values<'a>(step: &'a Step, metrics: &'a StepMetrics, tools_used: &[ToolId]) -> Result<Vec<Arg<'a>>> {
    Ok(vec![
        (&step.id).into(),
        (&step.agent_id).into(),
        (&step.run_id).into(),
        (&step.origin).into(),
        (&step.provider_id).into(),
        (&step.provider_name).into(),
        (&step.provider_category).into(),
        (&step.model).into(),
        (&step.model_endpoint).into(),
        step.context_window_limit.into(),
        step.completion_tokens.into(),
        step.prompt_tokens.into(),
        step.total_tokens.into(),
        json::optional_text(step.completion_tokens_details.as_ref())?.into(),
        step.stop_reason.map(StopReason::as_str).into(),
        json::text(&step.tags)?.into(),
        (&step.tid).into(),
        (&step.trace_id).into(),
        step.feedback.map(Feedback::as_str).into(),
        (&step.project_id).into(),
        (&step.error_type).into(),
        json::optional_text(step.error_data.as_ref())?.into(),
        step.status.map(StepStatus::as_str).into(),
        step.created_at.into(),
        metrics.step_start_ns.into(),
        metrics.llm_request_start_ns.into(),
        metrics.llm_request_ns.into(),
        metrics.tool_execution_ns.into(),
        metrics.step_ns.into(),
        (&metrics.base_template_id).into(),
        (&metrics.template_id).into(),
        json::text(tools_used)?.into(),
    ])
}

#[derive(mneme_macros::FromRow)]
pub(crate) struct StepRow {
    id: String,
    org_id: String,
    agent_id: Option<String>,
    run_id: Option<String>,
    origin: Option<String>,
    provider_id: Option<String>,
    provider_name: Option<String>,
    provider_category: Option<String>,
    model: Option<String>,
    model_endpoint: Option<String>,
    context_window_limit: Option<i64>,
    completion_tokens: Option<i64>,
    prompt_tokens: Option<i64>,
    total_tokens: Option<i64>,
    completion_tokens_details: Option<String>,
    stop_reason: Option<String>,
    tags: String,
    tid: Option<String>,
    trace_id: Option<String>,
    feedback: Option<String>,
    project_id: Option<String>,
    error_type: Option<String>,
    error_data: Option<String>,
    status: Option<String>,
    created_at: i64,
}

impl TryFrom<StepRow> for Step {
    type Error = crate::StoreError;

    fn try_from(row: StepRow) -> Result<Self> {
        Ok(Self {
            id: StepId::trusted(row.id),
            origin: row.origin,
            organization_id: Some(row.org_id),
            provider_id: row.provider_id,
            run_id: row.run_id.map(RunId::trusted),
            agent_id: row.agent_id.map(AgentId::trusted),
            provider_name: row.provider_name,
            provider_category: row.provider_category,
            model: row.model,
            model_endpoint: row.model_endpoint,
            context_window_limit: row.context_window_limit,
            completion_tokens: row.completion_tokens,
            prompt_tokens: row.prompt_tokens,
            total_tokens: row.total_tokens,
            completion_tokens_details: json::optional_value(
                "steps.completion_tokens_details",
                row.completion_tokens_details.as_deref(),
            )?,
            stop_reason: json::optional_named("steps.stop_reason", row.stop_reason.as_deref(), StopReason::from_name)?,
            tags: json::value("steps.tags", &row.tags)?,
            tid: row.tid,
            trace_id: row.trace_id,
            messages: Vec::new(),
            feedback: json::optional_named("steps.feedback", row.feedback.as_deref(), Feedback::from_name)?,
            project_id: row.project_id,
            error_type: row.error_type,
            error_data: json::optional_value("steps.error_data", row.error_data.as_deref())?,
            status: json::optional_named("steps.status", row.status.as_deref(), StepStatus::from_name)?,
            created_at: from_micros(row.created_at),
        })
    }
}

/// The measures of a step.
#[derive(mneme_macros::FromRow)]
pub(super) struct MetricsRow {
    id: String,
    provider_id: Option<String>,
    run_id: Option<String>,
    agent_id: Option<String>,
    step_start_ns: Option<i64>,
    llm_request_start_ns: Option<i64>,
    llm_request_ns: Option<i64>,
    tool_execution_ns: Option<i64>,
    step_ns: Option<i64>,
    base_template_id: Option<String>,
    template_id: Option<String>,
    project_id: Option<String>,
}

impl From<MetricsRow> for StepMetrics {
    fn from(row: MetricsRow) -> Self {
        Self {
            id: StepId::trusted(row.id),
            provider_id: row.provider_id,
            run_id: row.run_id.map(RunId::trusted),
            agent_id: row.agent_id.map(AgentId::trusted),
            step_start_ns: row.step_start_ns,
            llm_request_start_ns: row.llm_request_start_ns,
            llm_request_ns: row.llm_request_ns,
            tool_execution_ns: row.tool_execution_ns,
            step_ns: row.step_ns,
            base_template_id: row.base_template_id,
            template_id: row.template_id,
            project_id: row.project_id,
        }
    }
}
