//! Which folders an agent reads.

use std::collections::HashMap;

use mneme_domain::{Actor, AgentId, EntityId, Page, SourceId, folder::Folder};
use mneme_macros::boxed;

use super::{
    KEYSET, read,
    row::{FolderRow, columns},
};
use crate::{
    Conn, Result,
    page::Keyset,
    sql::{Arg, args, statements},
};

const AGENTS: Keyset = Keyset { lookup: "select seq as key, seq from agents where org_id = ", key: None, seq: "a.seq" };

statements! {
    ATTACH: "insert into agent_sources (org_id, agent_id, source_id, position) values ($1, $2, $3,
            (select coalesce(max(position), 0) + 1 from agent_sources where org_id = $1 and agent_id = $2))
        on conflict (org_id, agent_id, source_id) do nothing";
    DETACH: "delete from agent_sources where org_id = $1 and agent_id = $2 and source_id = $3";
    FORGET: "delete from agent_files where org_id = $1 and agent_id = $2
        and file_id in (select f.id from files f where f.org_id = $1 and f.source_id = $3)";
    COUNT: "select count(*) from agent_sources where org_id = $1 and agent_id = $2";
    OF_AGENTS: concat!("select ags.agent_id, ", columns!(), " from agent_sources ags
        join sources s on s.org_id = ags.org_id and s.id = ags.source_id
        where ags.org_id = $1 and ags.agent_id = any($2) order by ags.position, s.seq");
}

#[derive(mneme_macros::FromRow)]
struct OwnedRow {
    agent_id: String,
    #[row(flatten)]
    folder: FolderRow,
}

/// Gives an agent a folder; false when it had it. [`crate::StoreError::NotFound`] when either is unknown.
#[boxed]
pub async fn attach(c: &mut Conn, a: &Actor, agent: &AgentId, folder: &SourceId) -> Result<bool> {
    Ok(c.run(&ATTACH, args![&a.org, agent, folder]).await? > 0)
}

/// Takes a folder from an agent, and what the agent has open of it; false when it had not got it.
#[boxed]
pub async fn detach(c: &mut Conn, a: &Actor, agent: &AgentId, folder: &SourceId) -> Result<bool> {
    c.run(&FORGET, args![&a.org, agent, folder]).await?;
    Ok(c.run(&DETACH, args![&a.org, agent, folder]).await? > 0)
}

/// How many folders an agent has.
#[boxed]
pub async fn count_of_agent(c: &mut Conn, a: &Actor, agent: &AgentId) -> Result<i64> {
    Ok(c.one::<(i64,)>(&COUNT, args![&a.org, agent]).await?.unwrap_or_default().0)
}

/// A page of the folders of an agent in the order of their creation.
#[boxed]
pub async fn of_agent(c: &mut Conn, a: &Actor, agent: &AgentId, page: &Page) -> Result<Vec<Folder>> {
    let mut query = c.query(concat!("select ", columns!(), " from sources s where s.org_id = "));
    query.bind(&a.org).push(" and exists (select 1 from agent_sources ags where ags.org_id = s.org_id");
    query.with(" and ags.source_id = s.id and ags.agent_id = ", agent).push(")");
    read(KEYSET.page(c, a, query, page).await?)
}

/// The folders of some agents in the order of their attachment.
#[boxed]
pub async fn of_agents(c: &mut Conn, a: &Actor, agents: &[AgentId]) -> Result<HashMap<AgentId, Vec<Folder>>> {
    let mut found: HashMap<AgentId, Vec<Folder>> = HashMap::new();
    if agents.is_empty() {
        return Ok(found);
    }
    for row in c.all::<OwnedRow>(&OF_AGENTS, args![&a.org, Arg::ids(agents)]).await? {
        found.entry(AgentId::trusted(row.agent_id)).or_default().push(row.folder.try_into()?);
    }
    Ok(found)
}

/// A page of the agents that have a folder, in the order of their creation.
#[boxed]
pub async fn agents_of(c: &mut Conn, a: &Actor, id: &SourceId, page: &Page) -> Result<Vec<AgentId>> {
    let mut query = c.query("select a.id from agents a where a.org_id = ");
    query.bind(&a.org).push(" and exists (select 1 from agent_sources ags where ags.org_id = a.org_id");
    query.with(" and ags.agent_id = a.id and ags.source_id = ", id.as_str()).push(")");
    let rows: Vec<(String,)> = AGENTS.page(c, a, query, page).await?;
    Ok(rows.into_iter().map(|(id,)| AgentId::trusted(id)).collect())
}
