//! Memory blocks, and which agents they are attached to.

mod attach;
mod list;
pub(crate) mod row;

pub(crate) use attach::set_of_agent;
pub use attach::{agents_of, attach, attach_first, detach, of_agent};
pub use list::{BlockFilter, count, list};
use mneme_domain::{Actor, AgentId, BlockId, Timestamp, block::Block};
use mneme_macros::boxed;
use row::{BlockRow, VALUES, columns, new_row, values};

use crate::{
    Conn, Result, StoreError, in_order,
    query::{Query, at_once},
    sql::{Arg, args, statements},
};

/// A block with the version that an update must name.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredBlock {
    /// The block.
    pub block: Block,
    /// Grows by one with each update.
    pub version: i64,
}

/// Writes every column, under more conditions.
macro_rules! update {
    ($conditions:literal) => {
        concat!(
            "update blocks set version = version + 1, updated_at = $3, value = $5, char_limit = $6, label = $7,
            description = $8, read_only = $9, is_template = $10, template_name = $11, template_id = $12,
            base_template_id = $13, deployment_id = $14, entity_id = $15, project_id = $16,
            preserve_on_migration = $17, metadata = $18, hidden = $19, created_by_id = $20, last_updated_by_id = $21
        where org_id = $1 and version = $2 and id = $4",
            $conditions,
            " returning version"
        )
    };
}

statements! {
    GET: concat!("select ", columns!(), " from blocks b where b.org_id = $1 and b.id = $2");
    GET_MANY: concat!("select ", columns!(), " from blocks b where b.org_id = $1 and b.id = any($2)");
    VERSION: "select version from blocks where org_id = $1 and id = $2";
    UPDATE: update!("");
    UPDATE_HELD: update!(" and exists (select 1 from agent_blocks ab
            where ab.org_id = $1 and ab.agent_id = $22 and ab.block_id = $4)");
    RELABEL: "update agent_blocks set label = $3 where org_id = $1 and block_id = $2 and label is distinct from $3";
    DELETE: "delete from blocks where org_id = $1 and id = $2";
}

/// Adds a block, at version 1.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, block: &Block, now: Timestamp) -> Result<()> {
    insert_many(c, a, std::slice::from_ref(block), now).await
}

/// Adds blocks, in this order, at version 1.
#[boxed]
pub async fn insert_many(c: &mut Conn, a: &Actor, blocks: &[Block], now: Timestamp) -> Result<()> {
    let rows: Vec<Vec<Arg<'_>>> = blocks.iter().map(|block| new_row(&a.org, block, now)).collect::<Result<_>>()?;
    for rows in at_once(c.engine(), rows) {
        c.query_effect(Query::insert(c.engine(), "blocks", VALUES, rows)).await?;
    }
    Ok(())
}

/// A block.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &BlockId) -> Result<Option<StoredBlock>> {
    let row: Option<BlockRow> = c.one(&GET, args![&a.org, id]).await?;
    row.map(StoredBlock::try_from).transpose()
}

/// Blocks in the given order; unknown identifiers are left out.
#[boxed]
pub async fn get_many(c: &mut Conn, a: &Actor, ids: &[BlockId]) -> Result<Vec<StoredBlock>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<BlockRow> = c.all(&GET_MANY, args![&a.org, Arg::ids(ids)]).await?;
    let blocks: Vec<StoredBlock> = rows.into_iter().map(StoredBlock::try_from).collect::<Result<_>>()?;
    Ok(in_order(ids, blocks, |stored| stored.block.id.clone()))
}

/// Writes every field of a block and returns its new version.
///
/// [`StoreError::Stale`] when another update came first, [`StoreError::NotFound`] when there is no such block,
/// [`StoreError::Conflict`] when an agent that holds it has another block of its new label.
#[boxed]
pub async fn update(c: &mut Conn, a: &Actor, block: &Block, expected_version: i64, now: Timestamp) -> Result<i64> {
    let mut arguments = args![&a.org, expected_version, now];
    arguments.extend(values(block)?);
    let updated: Option<(i64,)> = c.one(&UPDATE, arguments).await?;
    let Some((version,)) = updated else {
        let known: Option<(i64,)> = c.one(&VERSION, args![&a.org, &block.id]).await?;
        return Err(if known.is_some() { StoreError::Stale } else { StoreError::NotFound });
    };
    c.effect(&RELABEL, args![&a.org, &block.id, &block.label]).await?;
    Ok(version)
}

/// Writes a block that an agent read among its own, and returns the block's new version. Its label has to be the one
/// that was read.
///
/// [`StoreError::Stale`] when another update came first, and when the block was taken from the agent or deleted since.
#[boxed]
pub async fn update_held(
    c: &mut Conn,
    a: &Actor,
    agent: &AgentId,
    block: &Block,
    expected_version: i64,
    now: Timestamp,
) -> Result<i64> {
    let mut arguments = args![&a.org, expected_version, now];
    arguments.extend(values(block)?);
    arguments.push(Arg::from(agent));
    let updated: Option<(i64,)> = c.one(&UPDATE_HELD, arguments).await?;
    updated.map(|(version,)| version).ok_or(StoreError::Stale)
}

/// Removes a block from all agents and altogether; false when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &BlockId) -> Result<bool> {
    Ok(c.run(&DELETE, args![&a.org, id]).await? > 0)
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), attach::statements()].concat()
}
