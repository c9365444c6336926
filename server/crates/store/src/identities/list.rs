//! Lists of identities.

use mneme_domain::{
    Actor, Page,
    identity::{Identity, IdentityType},
};
use mneme_macros::boxed;

use super::row::{IdentityRow, columns};
use crate::{Conn, Engine, Result, page::Keyset, query::Query};

/// Which identities a list holds; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityFilter {
    /// The exact name.
    pub name: Option<String>,
    /// The exact project.
    pub project_id: Option<String>,
    /// The exact key.
    pub identifier_key: Option<String>,
    /// What it stands for.
    pub identity_type: Option<IdentityType>,
}

const KEYSET: Keyset =
    Keyset { lookup: "select seq as key, seq from identities where org_id = ", key: None, seq: "i.seq" };

fn restrict<'a>(query: &mut Query<'a>, a: &'a Actor, filter: &'a IdentityFilter) {
    query.with(" where i.org_id = ", &a.org);
    query.maybe(" and i.name = ", filter.name.as_ref());
    query.maybe(" and i.project_id = ", filter.project_id.as_ref());
    query.maybe(" and i.identifier_key = ", filter.identifier_key.as_ref());
    query.maybe(" and i.identity_type = ", filter.identity_type.map(IdentityType::as_str));
}

/// A page of identities in the order of their creation.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, filter: &IdentityFilter, page: &Page) -> Result<Vec<Identity>> {
    let mut query = c.query(match c.engine() {
        Engine::Sqlite => concat!("select ", columns!("json_group_array", ""), " from identities i"),
        Engine::Postgres => concat!("select ", columns!("json_agg", "::text"), " from identities i"),
    });
    restrict(&mut query, a, filter);
    let rows: Vec<IdentityRow> = KEYSET.page(c, a, query, page).await?;
    rows.into_iter().map(|row| row.identity(a)).collect()
}

/// How many identities a filter lets through.
#[boxed]
pub async fn count(c: &mut Conn, a: &Actor, filter: &IdentityFilter) -> Result<i64> {
    let mut query = c.query("select count(*) from identities i");
    restrict(&mut query, a, filter);
    Ok(c.query_one::<(i64,)>(query).await?.unwrap_or_default().0)
}
