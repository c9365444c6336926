//! Lists of messages. Their cursors go by time whatever the order: `before` gives older messages, `after` newer ones. Only
//! those of [`list_all`] follow the order.

use mneme_domain::{Actor, AgentId, BatchId, Page, RunId, StepId, message::Message};
use mneme_macros::boxed;

use super::{read, row::columns};
use crate::{Conn, Result, page::Keyset, query::Query, sql::Arg};

/// Which messages of an agent a list holds; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// The exact group.
    pub group_id: Option<String>,
    /// Of this run.
    pub run_id: Option<RunId>,
    /// Also messages of failed steps.
    pub include_err: bool,
}

const KEYSET: Keyset =
    Keyset { lookup: "select seq as key, seq from messages where org_id = ", key: None, seq: "m.seq" };

/// Starts a query of the messages whose `column` has a value.
fn of<'a>(c: &Conn, a: &'a Actor, column: &'static str, value: impl Into<Arg<'a>>) -> Query<'a> {
    let mut query = c.query(concat!("select ", columns!(), " from messages m where m.org_id = "));
    query.bind(&a.org).push(" and ").push(column).with(" = ", value);
    query
}

/// A page of an agent's messages. With descending order it is the newest ones, newest first; a caller that shows
/// them oldest first turns the page round.
#[boxed]
pub async fn list(
    c: &mut Conn,
    a: &Actor,
    agent: &AgentId,
    filter: &MessageFilter,
    page: &Page,
) -> Result<Vec<Message>> {
    let mut query = of(c, a, "m.agent_id", agent);
    query.maybe(" and m.group_id = ", filter.group_id.as_ref());
    if let Some(run) = &filter.run_id {
        query.with(" and m.run_id = ", run);
    }
    if !filter.include_err {
        query.push(" and m.is_err is not true");
    }
    read(KEYSET.page_by_time(c, a, query, page).await?)
}

/// A page of the messages of all agents, without those of failed steps. Its cursors follow the order of the list.
#[boxed]
pub async fn list_all(c: &mut Conn, a: &Actor, page: &Page) -> Result<Vec<Message>> {
    let mut query = c.query(concat!("select ", columns!(), " from messages m where m.org_id = "));
    query.bind(&a.org).push(" and m.is_err is not true");
    read(KEYSET.page(c, a, query, page).await?)
}

/// A page of a run's messages, ordered as those of [`list`].
#[boxed]
pub async fn by_run(c: &mut Conn, a: &Actor, run: &RunId, page: &Page) -> Result<Vec<Message>> {
    let query = of(c, a, "m.run_id", run);
    read(KEYSET.page_by_time(c, a, query, page).await?)
}

/// A page of what the agents of a batch said and what their tools returned, or one of them, ordered as those of [`list`].
#[boxed]
pub async fn by_batch(
    c: &mut Conn,
    a: &Actor,
    batch: &BatchId,
    agent: Option<&AgentId>,
    page: &Page,
) -> Result<Vec<Message>> {
    let mut query = c.query(concat!("select ", columns!(), " from messages m where m.org_id = "));
    query.bind(&a.org).with(" and m.run_id in (select r.id from runs r where r.batch_id = ", batch);
    query.with(" and r.org_id = ", &a.org).push(") and m.batch_item_id is not null and m.role <> 'user'");
    query.maybe(" and m.agent_id = ", agent);
    read(KEYSET.page_by_time(c, a, query, page).await?)
}

/// A page of a step's messages, ordered as those of [`list`].
#[boxed]
pub async fn by_step(c: &mut Conn, a: &Actor, step: &StepId, page: &Page) -> Result<Vec<Message>> {
    let query = of(c, a, "m.step_id", step);
    read(KEYSET.page_by_time(c, a, query, page).await?)
}
