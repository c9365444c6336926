//! Lists of steps.

use mneme_domain::{
    Actor, AgentId, Page, RunId, Timestamp,
    step::{Feedback, Step},
};
use mneme_macros::boxed;

use super::row::{StepRow, columns};
use crate::{Conn, Result, page::Keyset};

/// Which steps a list holds; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepFilter {
    /// Of this agent.
    pub agent_id: Option<AgentId>,
    /// Of this run.
    pub run_id: Option<RunId>,
    /// The provider's name of the model.
    pub model: Option<String>,
    /// This feedback.
    pub feedback: Option<Feedback>,
    /// Whether there is any feedback.
    pub has_feedback: Option<bool>,
    /// Begun then or later.
    pub start: Option<Timestamp>,
    /// Begun then or earlier.
    pub end: Option<Timestamp>,
    /// Steps with any of these tags, when any is given.
    pub tags: Vec<String>,
    /// One of these traces, when any is given.
    pub trace_ids: Vec<String>,
    /// The exact project.
    pub project_id: Option<String>,
}

const KEYSET: Keyset = Keyset { lookup: "select seq as key, seq from steps where org_id = ", key: None, seq: "s.seq" };

/// A page of steps in the order of their record.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, filter: &StepFilter, page: &Page) -> Result<Vec<Step>> {
    let mut query = c.query(concat!("select ", columns!(), " from steps s where s.org_id = "));
    query.bind(&a.org);
    query.maybe(" and s.agent_id = ", filter.agent_id.as_ref());
    query.maybe(" and s.run_id = ", filter.run_id.as_ref());
    query.maybe(" and s.model = ", filter.model.as_ref());
    query.maybe(" and s.feedback = ", filter.feedback.map(Feedback::as_str));
    query.maybe(" and s.created_at >= ", filter.start);
    query.maybe(" and s.created_at <= ", filter.end);
    query.maybe(" and s.project_id = ", filter.project_id.as_ref());
    match filter.has_feedback {
        Some(true) => drop(query.push(" and s.feedback is not null")),
        Some(false) => drop(query.push(" and s.feedback is null")),
        None => {}
    }
    if !filter.tags.is_empty() {
        query.push_either(
            " and exists (select 1 from json_each(s.tags) as tag where tag.value",
            " and exists (select 1 from jsonb_array_elements_text(s.tags::jsonb) as tag (value) where tag.value",
        );
        query.any(filter.tags.clone()).push(")");
    }
    if !filter.trace_ids.is_empty() {
        query.push(" and s.trace_id").any(filter.trace_ids.clone());
    }
    let rows: Vec<StepRow> = KEYSET.page(c, a, query, page).await?;
    rows.into_iter().map(Step::try_from).collect()
}
