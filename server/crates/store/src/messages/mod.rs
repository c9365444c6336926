//! Messages: what was said, in the order it was written.

mod list;
pub(crate) mod row;
mod search;
mod vectors;
pub(crate) mod words;

pub use list::{MessageFilter, by_batch, by_run, by_step, list, list_all};
use mneme_domain::{Actor, AgentId, MessageId, message::Message};
use mneme_macros::boxed;
use row::{MessageRow, VALUES, columns, values};
pub use search::{MessageSearch, search};
pub use vectors::{Bare, embed, embedded_agents, forget_vector, said_after, search_vectors};

use crate::{
    Conn, Engine, Result, StoreError, in_order,
    query::{Query, at_once},
    sql::{Arg, args, statements},
};

statements! {
    GET: concat!("select ", columns!(), " from messages m where m.org_id = $1 and m.id = $2");
    GET_MANY: concat!("select ", columns!(), " from messages m where m.org_id = $1 and m.id = any($2)");
    UPDATE: "update messages set agent_id = $3, role = $4, text = $5, content = $6, model = $7, name = $8,
            tool_calls = $9, tool_call_id = $10, tool_returns = $11, step_id = $12, run_id = $13, otid = $14,
            group_id = $15, sender_id = $16, batch_item_id = $17, is_err = $18, approval_request_id = $19,
            approve = $20, denial_reason = $21, approvals = $22, created_at = $23, updated_at = $24,
            created_by_id = $25, last_updated_by_id = $26, search = array_to_tsvector($27)
        where org_id = $1 and id = $2",
        // Triggers keep the index; the last bind is only named.
        sqlite: "update messages set agent_id = $3, role = $4, text = $5, content = $6, model = $7, name = $8,
            tool_calls = $9, tool_call_id = $10, tool_returns = $11, step_id = $12, run_id = $13, otid = $14,
            group_id = $15, sender_id = $16, batch_item_id = $17, is_err = $18, approval_request_id = $19,
            approve = $20, denial_reason = $21, approvals = $22, created_at = $23, updated_at = $24,
            created_by_id = $25, last_updated_by_id = $26
        where org_id = $1 and id = $2 and $27 is not null";
    DELETE_OF_AGENT: "delete from messages where org_id = $1 and agent_id = $2";
    // Counted in the index of agents' messages, which does not know of organisations.
    COUNT: "select count(*) from messages where agent_id = $2
        and exists (select 1 from agents where org_id = $1 and id = $2)";
}

/// Adds messages, in this order. [`StoreError::NotFound`] when an agent of theirs is unknown.
#[boxed]
pub async fn append(c: &mut Conn, a: &Actor, messages: &[Message]) -> Result<()> {
    let engine = c.engine();
    let texts: Vec<String> = messages.iter().map(Message::said).collect();
    let mut rows = Vec::with_capacity(messages.len());
    for (message, text) in messages.iter().zip(&texts) {
        let mut row = args![&a.org];
        row.extend(values(message, text)?);
        if engine == Engine::Postgres {
            row.push(Arg::List(words::index(text)));
        }
        rows.push(row);
    }
    for rows in at_once(engine, rows) {
        c.query_effect(Query::insert_searched(engine, "messages", VALUES, rows)).await?;
    }
    Ok(())
}

/// A message.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &MessageId) -> Result<Option<Message>> {
    c.one::<MessageRow>(&GET, args![&a.org, id]).await?.map(Message::try_from).transpose()
}

fn read(rows: Vec<MessageRow>) -> Result<Vec<Message>> {
    rows.into_iter().map(Message::try_from).collect()
}

/// Messages in the given order; unknown identifiers are left out.
#[boxed]
pub async fn get_many(c: &mut Conn, a: &Actor, ids: &[MessageId]) -> Result<Vec<Message>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let messages = read(c.all(&GET_MANY, args![&a.org, Arg::ids(ids)]).await?)?;
    Ok(in_order(ids, messages, |message| message.id.clone()))
}

/// Writes every field of a message; its place in the order stays. [`StoreError::NotFound`] when there is none.
#[boxed]
pub async fn update(c: &mut Conn, a: &Actor, message: &Message) -> Result<()> {
    let text = message.said();
    let mut arguments = args![&a.org];
    arguments.extend(values(message, &text)?);
    arguments.push(Arg::List(words::index(&text)));
    match c.run(&UPDATE, arguments).await? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

/// Removes all messages of an agent; returns how many there were.
#[boxed]
pub async fn delete_of_agent(c: &mut Conn, a: &Actor, agent: &AgentId) -> Result<u64> {
    c.run(&DELETE_OF_AGENT, args![&a.org, agent]).await
}

/// How many messages an agent has.
#[boxed]
pub async fn count(c: &mut Conn, a: &Actor, agent: &AgentId) -> Result<i64> {
    Ok(c.one::<(i64,)>(&COUNT, args![&a.org, agent]).await?.unwrap_or_default().0)
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), vectors::statements()].concat()
}
