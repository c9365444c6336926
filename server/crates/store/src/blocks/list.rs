//! Lists of blocks.

use mneme_domain::{Actor, Page, block::Block};
use mneme_macros::boxed;

use super::{
    StoredBlock,
    row::{BlockRow, columns},
};
use crate::{Conn, Result, distinct, page::Keyset, query::Query};

/// Which blocks a list holds; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockFilter {
    /// The exact label.
    pub label: Option<String>,
    /// Part of the label, whatever the case.
    pub label_search: Option<String>,
    /// Part of the value, whatever the case.
    pub value_search: Option<String>,
    /// Part of the description, whatever the case.
    pub description_search: Option<String>,
    /// The exact template name.
    pub name: Option<String>,
    /// Only templates.
    pub templates_only: bool,
    /// The exact project.
    pub project_id: Option<String>,
    /// Blocks of this identity.
    pub identity_id: Option<String>,
    /// Blocks of any identity of these keys, when one is given.
    pub identifier_keys: Vec<String>,
    /// Attached to exactly so many agents: one of these numbers, when any is given.
    pub connected_eq: Vec<i64>,
    /// Attached to more agents than this.
    pub connected_gt: Option<i64>,
    /// Attached to fewer agents than this.
    pub connected_lt: Option<i64>,
    /// Also hidden ones.
    pub include_hidden: bool,
}

const KEYSET: Keyset = Keyset { lookup: "select seq as key, seq from blocks where org_id = ", key: None, seq: "b.seq" };

const CONNECTED: &str = " and (select count(*) from agent_blocks ab where ab.org_id = b.org_id and ab.block_id = b.id)";

fn restrict<'a>(query: &mut Query<'a>, a: &'a Actor, filter: &'a BlockFilter) {
    query.with(" where b.org_id = ", &a.org);
    query.maybe(" and b.label = ", filter.label.as_ref());
    query.maybe(" and b.template_name = ", filter.name.as_ref());
    query.maybe(" and b.project_id = ", filter.project_id.as_ref());
    for (column, part) in [
        ("b.label", &filter.label_search),
        ("b.value", &filter.value_search),
        ("b.description", &filter.description_search),
    ] {
        if let Some(part) = part {
            query.and_contains(column, part);
        }
    }
    if filter.templates_only {
        query.push(" and b.is_template");
    }
    if let Some(identity) = &filter.identity_id {
        query.push(" and exists (select 1 from block_identities bi where bi.org_id = b.org_id and bi.block_id = b.id");
        query.with(" and bi.identity_id = ", identity).push(")");
    }
    if !filter.identifier_keys.is_empty() {
        query.push(
            " and exists (select 1 from block_identities bi
             join identities i on i.org_id = bi.org_id and i.id = bi.identity_id
             where bi.org_id = b.org_id and bi.block_id = b.id and i.identifier_key",
        );
        query.any(distinct(&filter.identifier_keys)).push(")");
    }
    if !filter.include_hidden {
        query.push(" and b.hidden is not true");
    }
    if !filter.connected_eq.is_empty() {
        query.push(CONNECTED).push(" in (");
        for (index, number) in filter.connected_eq.iter().enumerate() {
            query.push(if index == 0 { "" } else { ", " }).bind(*number);
        }
        query.push(")");
    }
    if let Some(number) = filter.connected_gt {
        query.push(CONNECTED).with(" > ", number);
    }
    if let Some(number) = filter.connected_lt {
        query.push(CONNECTED).with(" < ", number);
    }
}

/// A page of blocks in the order of their creation.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, filter: &BlockFilter, page: &Page) -> Result<Vec<Block>> {
    let mut query = c.query(concat!("select ", columns!(), " from blocks b"));
    restrict(&mut query, a, filter);
    let rows: Vec<BlockRow> = KEYSET.page(c, a, query, page).await?;
    rows.into_iter().map(|row| StoredBlock::try_from(row).map(|stored| stored.block)).collect()
}

/// How many blocks a filter lets through.
#[boxed]
pub async fn count(c: &mut Conn, a: &Actor, filter: &BlockFilter) -> Result<i64> {
    let mut query = c.query("select count(*) from blocks b");
    restrict(&mut query, a, filter);
    Ok(c.query_one::<(i64,)>(query).await?.unwrap_or_default().0)
}
