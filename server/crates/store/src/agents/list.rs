//! Lists of agents.

use mneme_domain::{Actor, AgentId, EntityId, Order, Page, agent::Agent};
use mneme_macros::boxed;

use super::row::{AgentRow, SELECT};
use crate::{Conn, Result, distinct, page::Keyset, query::Query};

/// What a list of agents is sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AgentSort {
    /// When they were made.
    #[default]
    CreatedAt,
    /// When they or what they have in view last changed.
    UpdatedAt,
    /// When their last run ended; agents that never ran come last, whatever the order.
    LastRunCompletion,
}

/// Which agents a list holds; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentFilter {
    /// The exact name.
    pub name: Option<String>,
    /// Part of the name, whatever its case.
    pub query_text: Option<String>,
    /// Agents with any of these tags (or with all, see below), when any is given.
    pub tags: Vec<String>,
    /// Whether an agent must have all of the tags.
    pub match_all_tags: bool,
    /// The exact project.
    pub project_id: Option<String>,
    /// The exact template.
    pub template_id: Option<String>,
    /// The exact base template.
    pub base_template_id: Option<String>,
    /// Agents of this identity.
    pub identity_id: Option<String>,
    /// Agents of any identity of these keys, when one is given.
    pub identifier_keys: Vec<String>,
    /// Only these, when given.
    pub ids: Option<Vec<AgentId>>,
    /// What comes first.
    pub sort_by: AgentSort,
    /// Also hidden ones.
    pub include_hidden: bool,
}

const BY_CREATION: Keyset =
    Keyset { lookup: "select seq as key, seq from agents where org_id = ", key: None, seq: "a.seq" };

const BY_CHANGE: Keyset = Keyset {
    lookup: "select updated_at as key, seq from agents where org_id = ",
    key: Some("a.updated_at"),
    seq: "a.seq",
};

/// Agents that never ran count as the latest in ascending order, as the earliest in descending order.
const BY_RUN_ASCENDING: Keyset = Keyset {
    lookup: "select coalesce(last_run_completion, 9223372036854775807) as key, seq from agents where org_id = ",
    key: Some("coalesce(a.last_run_completion, 9223372036854775807)"),
    seq: "a.seq",
};

const BY_RUN_DESCENDING: Keyset = Keyset {
    lookup: "select coalesce(last_run_completion, -9223372036854775807) as key, seq from agents where org_id = ",
    key: Some("coalesce(a.last_run_completion, -9223372036854775807)"),
    seq: "a.seq",
};

fn restrict<'a>(query: &mut Query<'a>, a: &'a Actor, filter: &'a AgentFilter) {
    query.with(" where a.org_id = ", &a.org);
    query.maybe(" and a.name = ", filter.name.as_ref());
    query.maybe(" and a.project_id = ", filter.project_id.as_ref());
    query.maybe(" and a.template_id = ", filter.template_id.as_ref());
    query.maybe(" and a.base_template_id = ", filter.base_template_id.as_ref());
    if let Some(part) = &filter.query_text {
        query.push_either(" and instr(a.name_folded, ", " and strpos(a.name_folded, ");
        query.bind(part.to_lowercase()).push(") > 0");
    }
    if !filter.tags.is_empty() {
        let tags = distinct(&filter.tags);
        let wanted = i64::try_from(tags.len()).unwrap_or(i64::MAX);
        query.push(" and (select count(*) from agent_tags g where g.org_id = a.org_id and g.agent_id = a.id and g.tag");
        query.any(tags).with(") >= ", if filter.match_all_tags { wanted } else { 1 });
    }
    if let Some(ids) = &filter.ids {
        query.push(" and a.id").any(ids.iter().map(|id| id.as_str().to_owned()).collect());
    }
    if let Some(identity) = &filter.identity_id {
        query.push(" and exists (select 1 from agent_identities ai where ai.org_id = a.org_id and ai.agent_id = a.id");
        query.with(" and ai.identity_id = ", identity).push(")");
    }
    if !filter.identifier_keys.is_empty() {
        query.push(
            " and exists (select 1 from agent_identities ai
             join identities i on i.org_id = ai.org_id and i.id = ai.identity_id
             where ai.org_id = a.org_id and ai.agent_id = a.id and i.identifier_key",
        );
        query.any(distinct(&filter.identifier_keys)).push(")");
    }
    if !filter.include_hidden {
        query.push(" and a.hidden is not true");
    }
}

fn read(rows: Vec<AgentRow>) -> Result<Vec<Agent>> {
    rows.into_iter().map(Agent::try_from).collect()
}

/// A page of a query of agents in the order of their creation.
pub(crate) async fn page(c: &mut Conn, a: &Actor, query: Query<'_>, page: &Page) -> Result<Vec<Agent>> {
    read(BY_CREATION.page(c, a, query, page).await?)
}

/// A page of agents.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, filter: &AgentFilter, page: &Page) -> Result<Vec<Agent>> {
    let mut query = c.query(SELECT);
    restrict(&mut query, a, filter);
    let keyset = match (filter.sort_by, page.order) {
        (AgentSort::CreatedAt, _) => BY_CREATION,
        (AgentSort::UpdatedAt, _) => BY_CHANGE,
        (AgentSort::LastRunCompletion, Order::Asc) => BY_RUN_ASCENDING,
        (AgentSort::LastRunCompletion, Order::Desc) => BY_RUN_DESCENDING,
    };
    read(keyset.page(c, a, query, page).await?)
}

/// How many agents a filter lets through.
#[boxed]
pub async fn count(c: &mut Conn, a: &Actor, filter: &AgentFilter) -> Result<i64> {
    let mut query = c.query("select count(*) from agents a");
    restrict(&mut query, a, filter);
    Ok(c.query_one::<(i64,)>(query).await?.unwrap_or_default().0)
}
