//! Which archives an agent reads. It writes into the first.

use mneme_domain::{Actor, AgentId, ArchiveId, EntityId, Page, agent::Agent, archive::Archive};
use mneme_macros::boxed;

use super::row::{ArchiveRow, columns};
use crate::{
    Conn, Result, agents,
    sql::{args, statements},
};

statements! {
    ATTACH: "insert into agent_archives (org_id, agent_id, archive_id, position) values ($1, $2, $3,
            (select coalesce(max(position), 0) + 1 from agent_archives where org_id = $1 and agent_id = $2))
        on conflict (org_id, agent_id, archive_id) do nothing";
    DETACH: "delete from agent_archives where org_id = $1 and agent_id = $2 and archive_id = $3";
    // On SQLite the transaction itself is the lock.
    LOCK: "select id from agents where org_id = $1 and id = $2 for no key update",
        sqlite: "select id from agents where org_id = $1 and id = $2";
    OF_AGENT: concat!("select ", columns!(), " from agent_archives ar
        join archives r on r.org_id = ar.org_id and r.id = ar.archive_id
        where ar.org_id = $1 and ar.agent_id = $2 order by ar.position, r.seq");
}

/// Gives an agent an archive; giving it twice changes nothing. [`crate::StoreError::NotFound`] when either is unknown.
#[boxed]
pub async fn attach(c: &mut Conn, a: &Actor, agent: &AgentId, archive: &ArchiveId) -> Result<()> {
    c.run(&ATTACH, args![&a.org, agent, archive]).await.map(drop)
}

/// Takes an archive from an agent; false when it had not got it.
#[boxed]
pub async fn detach(c: &mut Conn, a: &Actor, agent: &AgentId, archive: &ArchiveId) -> Result<bool> {
    Ok(c.run(&DETACH, args![&a.org, agent, archive]).await? > 0)
}

/// The same as [`of_agent`] in a transaction in which nobody else gives the agent its first archive.
#[boxed]
pub async fn of_agent_alone(c: &mut Conn, a: &Actor, agent: &AgentId) -> Result<Vec<Archive>> {
    let _: Option<(String,)> = c.one(&LOCK, args![&a.org, agent]).await?;
    of_agent(c, a, agent).await
}

/// The archives of an agent in the order of their attachment.
#[boxed]
pub async fn of_agent(c: &mut Conn, a: &Actor, agent: &AgentId) -> Result<Vec<Archive>> {
    let rows: Vec<ArchiveRow> = c.all(&OF_AGENT, args![&a.org, agent]).await?;
    rows.into_iter().map(Archive::try_from).collect()
}

/// A page of the agents that read an archive, in the order of their creation.
#[boxed]
pub async fn agents_of(c: &mut Conn, a: &Actor, id: &ArchiveId, page: &Page) -> Result<Vec<Agent>> {
    let mut query = c.query(agents::row::SELECT);
    query.with(" where a.org_id = ", &a.org);
    query.push(" and exists (select 1 from agent_archives ar where ar.org_id = a.org_id and ar.agent_id = a.id");
    query.with(" and ar.archive_id = ", id.as_str()).push(")");
    agents::page(c, a, query, page).await
}
