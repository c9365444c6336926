//! What was said in a group. Each of its agents has its own copy of what the others said; a copy's sender is the group.

use mneme_domain::{Actor, GroupId, MessageId, Page, RunId, message::Message};
use mneme_macros::boxed;

use crate::{
    Conn, Result,
    messages::row::{MessageRow, columns},
    page::Keyset,
    sql::{args, statements},
};

const KEYSET: Keyset =
    Keyset { lookup: "select seq as key, seq from messages where org_id = ", key: None, seq: "m.seq" };

statements! {
    TAG: "update messages set group_id = $3 where org_id = $1 and run_id = $2 and group_id is null";
    FORGET: "delete from messages where org_id = $1 and group_id = $2 returning id";
}

/// Makes what a run said part of a group's conversation.
#[boxed]
pub async fn tag(c: &mut Conn, a: &Actor, run: &RunId, group: &GroupId) -> Result<()> {
    c.run(&TAG, args![&a.org, run, group]).await.map(drop)
}

/// A page of what was said in a group, without the copies, ordered as [`crate::messages::list`].
#[boxed]
pub async fn listed(c: &mut Conn, a: &Actor, group: &GroupId, page: &Page) -> Result<Vec<Message>> {
    let mut query = c.query(concat!("select ", columns!(), " from messages m where m.org_id = "));
    query.bind(&a.org).with(" and m.group_id = ", group);
    query.with(" and (m.role <> 'user' or m.sender_id is distinct from ", group).push(")");
    query.push(" and m.is_err is not true");
    let rows: Vec<MessageRow> = KEYSET.page_by_time(c, a, query, page).await?;
    rows.into_iter().map(Message::try_from).collect()
}

/// Deletes everything that was said in a group, the copies too; says which messages these were.
#[boxed]
pub async fn forget(c: &mut Conn, a: &Actor, group: &GroupId) -> Result<Vec<MessageId>> {
    let rows: Vec<(String,)> = c.all(&FORGET, args![&a.org, group]).await?;
    Ok(rows.into_iter().map(|(id,)| MessageId::trusted(id)).collect())
}
