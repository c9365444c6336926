//! The row of a run.

use mneme_domain::{
    AgentId, RunId,
    clock::from_micros,
    run::{Run, RunStatus, StopReason},
};

use crate::{Result, json, sql::Arg};

/// The columns that [`RunRow`] reads, of `runs r`.
macro_rules! columns {
    () => {
        "r.id, r.agent_id, r.status, r.created_at, r.completed_at, r.base_template_id, r.background, r.metadata, \
         r.request_config, r.stop_reason, r.callback_url, r.callback_sent_at, r.callback_status_code, \
         r.callback_error, r.ttft_ns, r.total_duration_ns"
    };
}
pub(crate) use columns;

/// The columns that [`values`] fills, after the organisation and the user.
pub(super) const VALUES: &str = "org_id, user_id, id, agent_id, status, created_at, completed_at, base_template_id, \
    background, metadata, request_config, stop_reason, callback_url, callback_sent_at, callback_status_code, \
    callback_error, ttft_ns, total_duration_ns";

/// A run's values in the order of [`VALUES`].
pub(crate) fn values(run: &Run) -> Result<Vec<Arg<'_>>> {
    Ok(vec![
        (&run.id).into(),
        (&run.agent_id).into(),
        run.status.as_str().into(),
        run.created_at.into(),
        run.completed_at.into(),
        (&run.base_template_id).into(),
        run.background.into(),
        json::optional_text(run.metadata.as_ref())?.into(),
        json::optional_text(run.request_config.as_ref())?.into(),
        run.stop_reason.map(StopReason::as_str).into(),
        (&run.callback_url).into(),
        run.callback_sent_at.into(),
        run.callback_status_code.into(),
        (&run.callback_error).into(),
        run.ttft_ns.into(),
        run.total_duration_ns.into(),
    ])
}

#[derive(mneme_macros::FromRow)]
pub(crate) struct RunRow {
    id: String,
    agent_id: String,
    status: String,
    created_at: i64,
    completed_at: Option<i64>,
    base_template_id: Option<String>,
    background: Option<bool>,
    metadata: Option<String>,
    request_config: Option<String>,
    stop_reason: Option<String>,
    callback_url: Option<String>,
    callback_sent_at: Option<i64>,
    callback_status_code: Option<i64>,
    callback_error: Option<String>,
    ttft_ns: Option<i64>,
    total_duration_ns: Option<i64>,
}

impl TryFrom<RunRow> for Run {
    type Error = crate::StoreError;

    fn try_from(row: RunRow) -> Result<Self> {
        Ok(Self {
            id: RunId::trusted(row.id),
            status: json::named("runs.status", &row.status, RunStatus::from_name)?,
            created_at: from_micros(row.created_at),
            completed_at: row.completed_at.map(from_micros),
            agent_id: AgentId::trusted(row.agent_id),
            base_template_id: row.base_template_id,
            background: row.background,
            metadata: json::optional_value("runs.metadata", row.metadata.as_deref())?,
            request_config: json::optional_value("runs.request_config", row.request_config.as_deref())?,
            stop_reason: json::optional_named("runs.stop_reason", row.stop_reason.as_deref(), StopReason::from_name)?,
            callback_url: row.callback_url,
            callback_sent_at: row.callback_sent_at.map(from_micros),
            callback_status_code: row.callback_status_code,
            callback_error: row.callback_error,
            ttft_ns: row.ttft_ns,
            total_duration_ns: row.total_duration_ns,
        })
    }
}
