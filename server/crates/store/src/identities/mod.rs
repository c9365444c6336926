//! Identities, and which agents and blocks belong to them.

mod attach;
mod list;
mod row;

pub use attach::{
    agents_of, attach_agent, attach_block, blocks_of, detach_agent, detach_block, set_agents, set_blocks, set_of_agent,
};
pub use list::{IdentityFilter, count, list};
use mneme_domain::{Actor, IdentityId, Timestamp, identity::Identity};
use mneme_macros::boxed;
use row::{IdentityRow, VALUES, columns, values};

use crate::{
    Conn, Result, StoreError, in_order,
    query::Query,
    sql::{Arg, args, statements},
};

statements! {
    GET: concat!("select ", columns!("json_agg", "::text"), " from identities i where i.org_id = $1 and i.id = $2"),
        sqlite: concat!("select ", columns!("json_group_array", ""), " from identities i where i.org_id = $1 and i.id = $2");
    GET_MANY: concat!("select ", columns!("json_agg", "::text"),
            " from identities i where i.org_id = $1 and i.id = any($2)"),
        sqlite: concat!("select ", columns!("json_group_array", ""),
            " from identities i where i.org_id = $1 and i.id in (select value from json_each($2))");
    BY_KEY: "select id from identities where org_id = $1 and identifier_key = $2";
    UPDATE: "update identities set updated_at = $2, id = $3, identifier_key = $4, name = $5, identity_type = $6,
            project_id = $7, properties = $8, last_updated_by_id = $9
        where org_id = $1 and id = $3";
    // On SQLite the transaction itself is the lock.
    LOCK: "select id from identities where org_id = $1 and id = $2 for no key update",
        sqlite: "select id from identities where org_id = $1 and id = $2";
    DELETE: "delete from identities where org_id = $1 and id = $2";
}

/// Adds an identity without its agents and blocks. [`StoreError::Conflict`] when the key is taken.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, identity: &Identity, now: Timestamp) -> Result<()> {
    let mut row = args![&a.org, now, now, &a.user];
    row.extend(values(a, identity)?);
    c.query_run(Query::insert(c.engine(), "identities", VALUES, vec![row])).await.map(drop)
}

/// An identity.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &IdentityId) -> Result<Option<Identity>> {
    let row: Option<IdentityRow> = c.one(&GET, args![&a.org, id]).await?;
    row.map(|row| row.identity(a)).transpose()
}

/// Identities in the given order; unknown identifiers are left out.
#[boxed]
pub async fn get_many(c: &mut Conn, a: &Actor, ids: &[IdentityId]) -> Result<Vec<Identity>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<IdentityRow> = c.all(&GET_MANY, args![&a.org, Arg::ids(ids)]).await?;
    let found: Vec<Identity> = rows.into_iter().map(|row| row.identity(a)).collect::<Result<_>>()?;
    Ok(in_order(ids, found, |identity| identity.id.clone()))
}

/// The identity of a key.
#[boxed]
pub async fn by_key(c: &mut Conn, a: &Actor, key: &str) -> Result<Option<IdentityId>> {
    let row: Option<(String,)> = c.one(&BY_KEY, args![&a.org, key]).await?;
    Ok(row.map(|(id,)| IdentityId::trusted(id)))
}

/// Writes an identity, but not its agents and blocks. [`StoreError::NotFound`] when there is none,
/// [`StoreError::Conflict`] when the key is another's.
#[boxed]
pub async fn update(c: &mut Conn, a: &Actor, identity: &Identity, now: Timestamp) -> Result<()> {
    let mut arguments = args![&a.org, now];
    arguments.extend(values(a, identity)?);
    match c.run(&UPDATE, arguments).await? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

/// Keeps others from writing an identity until the transaction ends: what is read of it then is not changed meanwhile.
#[boxed]
pub async fn lock(c: &mut Conn, a: &Actor, id: &IdentityId) -> Result<()> {
    let _: Option<(String,)> = c.one(&LOCK, args![&a.org, id]).await?;
    Ok(())
}

/// Removes an identity; its agents and blocks stay. False when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &IdentityId) -> Result<bool> {
    Ok(c.run(&DELETE, args![&a.org, id]).await? > 0)
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), attach::statements()].concat()
}
