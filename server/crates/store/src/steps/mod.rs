//! Steps: model calls with their measures and what went over the wire.

mod list;
pub(crate) mod row;
mod trace;

pub use list::{StepFilter, list};
use mneme_domain::{
    Actor, StepId, ToolId,
    step::{Feedback, ProviderTrace, Step, StepMetrics},
};
use mneme_macros::boxed;
use row::{MetricsRow, StepRow, VALUES, columns, values};
pub use trace::{forget_traces, trace};

use crate::{
    Conn, Result, json,
    query::Query,
    sql::{args, statements},
};

statements! {
    GET: concat!("select ", columns!(), " from steps s where s.org_id = $1 and s.id = $2");
    METRICS: "select id, provider_id, run_id, agent_id, step_start_ns, llm_request_start_ns, llm_request_ns,
            tool_execution_ns, step_ns, base_template_id, template_id, project_id
        from steps where org_id = $1 and id = $2";
    SET_FEEDBACK: "update steps set feedback = $3, tags = coalesce($4, tags) where org_id = $1 and id = $2";
}

/// Adds a step with its measures and, when it is kept, what went over the wire. The identifiers in `metrics` and
/// `trace` are taken from the step. [`crate::StoreError::NotFound`] when its agent is unknown.
#[boxed]
pub async fn insert(
    c: &mut Conn,
    a: &Actor,
    step: &Step,
    metrics: &StepMetrics,
    trace: Option<&ProviderTrace>,
    tools_used: &[ToolId],
) -> Result<()> {
    let mut row = args![&a.org];
    row.extend(values(step, metrics, tools_used)?);
    c.query_effect(Query::insert(c.engine(), "steps", VALUES, vec![row])).await?;
    match trace {
        Some(trace) => trace::insert(c, a, &step.id, trace).await,
        None => Ok(()),
    }
}

/// A step.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &StepId) -> Result<Option<Step>> {
    c.one::<StepRow>(&GET, args![&a.org, id]).await?.map(Step::try_from).transpose()
}

/// The measures of a step.
#[boxed]
pub async fn metrics(c: &mut Conn, a: &Actor, id: &StepId) -> Result<Option<StepMetrics>> {
    Ok(c.one::<MetricsRow>(&METRICS, args![&a.org, id]).await?.map(StepMetrics::from))
}

/// Sets a step's feedback (`None` takes it back) and, when given, its tags. `None` when there is no such step.
#[boxed]
pub async fn set_feedback(
    c: &mut Conn,
    a: &Actor,
    id: &StepId,
    feedback: Option<Feedback>,
    tags: Option<Vec<String>>,
) -> Result<Option<Step>> {
    let tags = json::optional_text(tags.as_ref())?;
    c.run(&SET_FEEDBACK, args![&a.org, id, feedback.map(Feedback::as_str), tags]).await?;
    get(c, a, id).await
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), trace::statements()].concat()
}
