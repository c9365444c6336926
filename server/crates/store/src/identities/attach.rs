//! Which agents and blocks belong to which identity.

use mneme_domain::{Actor, AgentId, BlockId, IdentityId, Page, agent::Agent, block::Block};
use mneme_macros::boxed;

use crate::{
    Conn, Result,
    agents::{self, AgentFilter},
    blocks::{self, BlockFilter},
    distinct,
    sql::{Arg, args, statements},
};

statements! {
    ATTACH_AGENT: "insert into agent_identities (org_id, agent_id, identity_id, position) values ($1, $2, $3,
            (select coalesce(max(position), 0) + 1 from agent_identities where org_id = $1 and agent_id = $2))
        on conflict (org_id, agent_id, identity_id) do nothing";
    DETACH_AGENT: "delete from agent_identities where org_id = $1 and agent_id = $2 and identity_id = $3";
    ATTACH_BLOCK: "insert into block_identities (org_id, block_id, identity_id) values ($1, $2, $3)
        on conflict (org_id, block_id, identity_id) do nothing";
    DETACH_BLOCK: "delete from block_identities where org_id = $1 and block_id = $2 and identity_id = $3";
    CLEAR_OF_AGENT: "delete from agent_identities where org_id = $1 and agent_id = $2";
    SET_OF_AGENT: "insert into agent_identities (org_id, agent_id, identity_id, position)
        select $1, $2, given.id, given.place from unnest($3::text[]) with ordinality as given (id, place)",
        sqlite: "insert into agent_identities (org_id, agent_id, identity_id, position)
        select $1, $2, given.value, given.key + 1 from json_each($3) as given";
    CLEAR_AGENTS: "delete from agent_identities where org_id = $1 and identity_id = $2 and not agent_id = any($3)";
    CLEAR_BLOCKS: "delete from block_identities where org_id = $1 and identity_id = $2 and not block_id = any($3)";
}

/// Gives an agent an identity; giving it twice changes nothing. [`crate::StoreError::NotFound`] when either is unknown.
#[boxed]
pub async fn attach_agent(c: &mut Conn, a: &Actor, agent: &AgentId, identity: &IdentityId) -> Result<()> {
    c.effect(&ATTACH_AGENT, args![&a.org, agent, identity]).await
}

/// Takes an identity from an agent; false when it had not got it.
#[boxed]
pub async fn detach_agent(c: &mut Conn, a: &Actor, agent: &AgentId, identity: &IdentityId) -> Result<bool> {
    Ok(c.run(&DETACH_AGENT, args![&a.org, agent, identity]).await? > 0)
}

/// Gives a block to an identity, as [`attach_agent`] does.
#[boxed]
pub async fn attach_block(c: &mut Conn, a: &Actor, block: &BlockId, identity: &IdentityId) -> Result<()> {
    c.effect(&ATTACH_BLOCK, args![&a.org, block, identity]).await
}

/// Takes a block from an identity; false when it was not its.
#[boxed]
pub async fn detach_block(c: &mut Conn, a: &Actor, block: &BlockId, identity: &IdentityId) -> Result<bool> {
    Ok(c.run(&DETACH_BLOCK, args![&a.org, block, identity]).await? > 0)
}

/// Replaces an agent's identities by these, in this order. [`crate::StoreError::NotFound`] when one is unknown.
#[boxed]
pub async fn set_of_agent(c: &mut Conn, a: &Actor, agent: &AgentId, identities: &[IdentityId]) -> Result<()> {
    c.effect(&CLEAR_OF_AGENT, args![&a.org, agent]).await?;
    if !identities.is_empty() {
        c.effect(&SET_OF_AGENT, args![&a.org, agent, Arg::ids(&distinct(identities))]).await?;
    }
    Ok(())
}

/// Has exactly these agents belong to an identity. [`crate::StoreError::NotFound`] when one is unknown.
#[boxed]
pub async fn set_agents(c: &mut Conn, a: &Actor, identity: &IdentityId, agents: &[AgentId]) -> Result<()> {
    c.effect(&CLEAR_AGENTS, args![&a.org, identity, Arg::ids(agents)]).await?;
    for agent in agents {
        attach_agent(c, a, agent, identity).await?;
    }
    Ok(())
}

/// Has exactly these blocks belong to an identity. [`crate::StoreError::NotFound`] when one is unknown.
#[boxed]
pub async fn set_blocks(c: &mut Conn, a: &Actor, identity: &IdentityId, blocks: &[BlockId]) -> Result<()> {
    c.effect(&CLEAR_BLOCKS, args![&a.org, identity, Arg::ids(blocks)]).await?;
    for block in blocks {
        attach_block(c, a, block, identity).await?;
    }
    Ok(())
}

/// A page of the agents of an identity, hidden ones too, in the order of their creation.
#[boxed]
pub async fn agents_of(c: &mut Conn, a: &Actor, id: &IdentityId, page: &Page) -> Result<Vec<Agent>> {
    let filter = AgentFilter { identity_id: Some(id.to_string()), include_hidden: true, ..AgentFilter::default() };
    agents::list(c, a, &filter, page).await
}

/// A page of the blocks of an identity, hidden ones too, in the order of their creation.
#[boxed]
pub async fn blocks_of(c: &mut Conn, a: &Actor, id: &IdentityId, page: &Page) -> Result<Vec<Block>> {
    let filter = BlockFilter { identity_id: Some(id.to_string()), include_hidden: true, ..BlockFilter::default() };
    blocks::list(c, a, &filter, page).await
}
