//! Which blocks are in which agent's context.

use mneme_domain::{Actor, AgentId, BlockId, EntityId, Page, agent::Agent};
use mneme_macros::boxed;

use super::{
    StoredBlock,
    row::{BlockRow, columns},
};
use crate::{
    Conn, Result, agents, distinct,
    sql::{Arg, args, statements},
};

statements! {
    ATTACH: "insert into agent_blocks (org_id, agent_id, block_id, label, position) values ($1, $2, $3,
            (select label from blocks where org_id = $1 and id = $3),
            (select coalesce(max(position), 0) + 1 from agent_blocks where org_id = $1 and agent_id = $2))
        on conflict (org_id, agent_id, block_id) do nothing";
    DETACH: "delete from agent_blocks where org_id = $1 and agent_id = $2 and block_id = $3";
    DETACH_ALL: "delete from agent_blocks where org_id = $1 and agent_id = $2";
    ATTACH_MANY: "insert into agent_blocks (org_id, agent_id, block_id, label, position)
        select $1, $2, given.id, (select label from blocks where org_id = $1 and id = given.id), given.place
        from unnest($3::text[]) with ordinality as given (id, place)",
        sqlite: "insert into agent_blocks (org_id, agent_id, block_id, label, position)
        select $1, $2, given.value, (select label from blocks where org_id = $1 and id = given.value), given.key + 1
        from json_each($3) as given";
    OF_AGENT: concat!("select ", columns!(), " from agent_blocks ab
        join blocks b on b.org_id = ab.org_id and b.id = ab.block_id
        where ab.org_id = $1 and ab.agent_id = $2 order by ab.position");
}

/// Attaches a block to an agent; attaching it twice changes nothing.
///
/// [`crate::StoreError::NotFound`] when either is unknown, [`crate::StoreError::Conflict`] when the agent has
/// another block of that label.
#[boxed]
pub async fn attach(c: &mut Conn, a: &Actor, agent: &AgentId, block: &BlockId) -> Result<()> {
    c.run(&ATTACH, args![&a.org, agent, block]).await.map(drop)
}

/// Takes a block from an agent; false when it was not attached.
#[boxed]
pub async fn detach(c: &mut Conn, a: &Actor, agent: &AgentId, block: &BlockId) -> Result<bool> {
    Ok(c.run(&DETACH, args![&a.org, agent, block]).await? > 0)
}

/// Replaces an agent's blocks by these, in this order; errors as of [`attach`].
pub(crate) async fn set_of_agent(c: &mut Conn, a: &Actor, agent: &AgentId, blocks: &[BlockId]) -> Result<()> {
    c.effect(&DETACH_ALL, args![&a.org, agent]).await?;
    attach_first(c, a, agent, blocks).await
}

/// Attaches blocks, in this order, to an agent that has none; errors as of [`attach`].
#[boxed]
pub async fn attach_first(c: &mut Conn, a: &Actor, agent: &AgentId, blocks: &[BlockId]) -> Result<()> {
    if !blocks.is_empty() {
        c.effect(&ATTACH_MANY, args![&a.org, agent, Arg::ids(&distinct(blocks))]).await?;
    }
    Ok(())
}

/// The blocks of an agent in the order of their attachment.
#[boxed]
pub async fn of_agent(c: &mut Conn, a: &Actor, agent: &AgentId) -> Result<Vec<StoredBlock>> {
    let rows: Vec<BlockRow> = c.all(&OF_AGENT, args![&a.org, agent]).await?;
    rows.into_iter().map(StoredBlock::try_from).collect()
}

/// A page of the agents that hold a block, in the order of their creation.
#[boxed]
pub async fn agents_of(c: &mut Conn, a: &Actor, id: &BlockId, page: &Page) -> Result<Vec<Agent>> {
    let mut query = c.query(agents::row::SELECT);
    query.with(" where a.org_id = ", &a.org);
    query.with(
        " and exists (select 1 from agent_blocks ab where ab.org_id = a.org_id and ab.agent_id = a.id and ab.block_id = ",
        id.as_str(),
    );
    query.push(")");
    agents::page(c, a, query, page).await
}
