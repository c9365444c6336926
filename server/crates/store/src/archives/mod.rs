//! Archives: collections of passages, and which agents read them.

mod attach;
mod row;

pub use attach::{agents_of, attach, detach, of_agent, of_agent_alone};
use mneme_domain::{Actor, AgentId, ArchiveId, Page, Timestamp, archive::Archive};
use mneme_macros::boxed;
use row::{ArchiveRow, VALUES, columns, values};

use crate::{
    Conn, Result, StoreError,
    page::Keyset,
    query::Query,
    sql::{args, statements},
};

/// Which archives a list holds; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchiveFilter {
    /// The exact name.
    pub name: Option<String>,
    /// Attached to this agent.
    pub agent_id: Option<AgentId>,
}

const KEYSET: Keyset =
    Keyset { lookup: "select seq as key, seq from archives where org_id = ", key: None, seq: "r.seq" };

statements! {
    GET: concat!("select ", columns!(), " from archives r where r.org_id = $1 and r.id = $2");
    UPDATE: "update archives set updated_at = $2, id = $3, name = $4, description = $5, embedding_config = $6,
            metadata = $7, created_by_id = $8, last_updated_by_id = $9
        where org_id = $1 and id = $3";
    // On SQLite the transaction itself is the lock.
    LOCK: "select id from archives where org_id = $1 and id = $2 for no key update",
        sqlite: "select id from archives where org_id = $1 and id = $2";
    DELETE: "delete from archives where org_id = $1 and id = $2";
}

/// Adds an archive.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, archive: &Archive) -> Result<()> {
    let mut row = args![&a.org, archive.created_at, archive.created_at];
    row.extend(values(archive)?);
    c.query_effect(Query::insert(c.engine(), "archives", VALUES, vec![row])).await
}

/// An archive.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &ArchiveId) -> Result<Option<Archive>> {
    c.one::<ArchiveRow>(&GET, args![&a.org, id]).await?.map(Archive::try_from).transpose()
}

/// Writes every field of an archive. [`StoreError::NotFound`] when there is none.
#[boxed]
pub async fn update(c: &mut Conn, a: &Actor, archive: &Archive, now: Timestamp) -> Result<()> {
    let mut arguments = args![&a.org, now];
    arguments.extend(values(archive)?);
    match c.run(&UPDATE, arguments).await? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

/// Keeps others from writing an archive until the transaction ends: what is read of it then is not changed meanwhile.
#[boxed]
pub async fn lock(c: &mut Conn, a: &Actor, id: &ArchiveId) -> Result<()> {
    let _: Option<(String,)> = c.one(&LOCK, args![&a.org, id]).await?;
    Ok(())
}

/// Removes an archive with its passages, and takes it from its agents; false when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &ArchiveId) -> Result<bool> {
    Ok(c.run(&DELETE, args![&a.org, id]).await? > 0)
}

/// A page of archives in the order of their creation.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, filter: &ArchiveFilter, page: &Page) -> Result<Vec<Archive>> {
    let mut query = c.query(concat!("select ", columns!(), " from archives r where r.org_id = "));
    query.bind(&a.org).maybe(" and r.name = ", filter.name.as_ref());
    if let Some(agent) = &filter.agent_id {
        query.push(" and exists (select 1 from agent_archives ar where ar.org_id = r.org_id and ar.archive_id = r.id");
        query.with(" and ar.agent_id = ", agent).push(")");
    }
    let rows: Vec<ArchiveRow> = KEYSET.page(c, a, query, page).await?;
    rows.into_iter().map(Archive::try_from).collect()
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), attach::statements()].concat()
}
