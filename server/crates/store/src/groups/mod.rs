//! Groups of agents.

mod messages;
mod row;

pub use messages::{forget, listed, tag};
use mneme_domain::{
    Actor, AgentId, BlockId, GroupId, MessageId, Page, Timestamp,
    group::{Group, ManagerType},
};
use mneme_macros::boxed;
use row::{GroupRow, VALUES, columns, values};

use crate::{
    Conn, Engine, Result, StoreError, distinct, in_order,
    page::Keyset,
    query::Query,
    sql::{Arg, args, statements},
};

/// Which groups a list holds; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupFilter {
    /// How they work.
    pub manager_type: Option<ManagerType>,
    /// The exact project.
    pub project_id: Option<String>,
    /// That this agent speaks in or manages.
    pub agent_id: Option<AgentId>,
    /// Also hidden ones.
    pub include_hidden: bool,
}

const KEYSET: Keyset =
    Keyset { lookup: "select seq as key, seq from agent_groups where org_id = ", key: None, seq: "g.seq" };

statements! {
    GET: concat!("select ", columns!("json_agg", "json_build_array", "::text"),
            " from agent_groups g where g.org_id = $1 and g.id = $2"),
        sqlite: concat!("select ", columns!("json_group_array", "json_array", ""),
            " from agent_groups g where g.org_id = $1 and g.id = $2");
    GET_MANY: concat!("select ", columns!("json_agg", "json_build_array", "::text"),
            " from agent_groups g where g.org_id = $1 and g.id = any($2)"),
        sqlite: concat!("select ", columns!("json_group_array", "json_array", ""),
            " from agent_groups g where g.org_id = $1 and g.id in (select value from json_each($2))");
    UPDATE: "update agent_groups set updated_at = $2, id = $3, manager_type = $4, description = $5, project_id = $6,
            template_id = $7, base_template_id = $8, deployment_id = $9, manager_agent_id = $10,
            termination_token = $11, max_turns = $12, sleeptime_agent_frequency = $13, turns_counter = $14,
            last_processed_message_id = $15, max_message_buffer_length = $16, min_message_buffer_length = $17,
            hidden = $18, last_updated_by_id = $19
        where org_id = $1 and id = $3";
    COUNT_TURN: "update agent_groups set turns_counter = (coalesce(turns_counter, -1) + 1) % $3
        where org_id = $1 and id = $2 returning turns_counter";
    PROCESSED: "update agent_groups set last_processed_message_id = $3 where org_id = $1 and id = $2";
    DELETE: "delete from agent_groups where org_id = $1 and id = $2";
    CLEAR_AGENTS: "delete from group_agents where org_id = $1 and group_id = $2";
    CLEAR_BLOCKS: "delete from group_blocks where org_id = $1 and group_id = $2";
    SET_AGENTS: "insert into group_agents (org_id, group_id, agent_id, position)
        select $1, $2, given.id, given.place from unnest($3::text[]) with ordinality as given (id, place)",
        sqlite: "insert into group_agents (org_id, group_id, agent_id, position)
        select $1, $2, given.value, given.key + 1 from json_each($3) as given";
    SET_BLOCKS: "insert into group_blocks (org_id, group_id, block_id, position)
        select $1, $2, given.id, given.place from unnest($3::text[]) with ordinality as given (id, place)",
        sqlite: "insert into group_blocks (org_id, group_id, block_id, position)
        select $1, $2, given.value, given.key + 1 from json_each($3) as given";
}

/// Adds a group with its agents and blocks. [`StoreError::NotFound`] when one of them is unknown.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, group: &Group, now: Timestamp) -> Result<()> {
    let mut row = args![&a.org, now, now, &a.user];
    row.extend(values(a, group));
    c.query_effect(Query::insert(c.engine(), "agent_groups", VALUES, vec![row])).await?;
    set_members(c, a, group).await
}

async fn set_members(c: &mut Conn, a: &Actor, group: &Group) -> Result<()> {
    c.effect(&CLEAR_AGENTS, args![&a.org, &group.id]).await?;
    c.effect(&CLEAR_BLOCKS, args![&a.org, &group.id]).await?;
    if !group.agent_ids.is_empty() {
        c.effect(&SET_AGENTS, args![&a.org, &group.id, Arg::ids(&distinct::<AgentId>(&group.agent_ids))]).await?;
    }
    if !group.shared_block_ids.is_empty() {
        let blocks = distinct::<BlockId>(&group.shared_block_ids);
        c.effect(&SET_BLOCKS, args![&a.org, &group.id, Arg::ids(&blocks)]).await?;
    }
    Ok(())
}

/// A group.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &GroupId) -> Result<Option<Group>> {
    let row: Option<GroupRow> = c.one(&GET, args![&a.org, id]).await?;
    row.map(Group::try_from).transpose()
}

/// Groups in the given order; unknown identifiers are left out.
#[boxed]
pub async fn get_many(c: &mut Conn, a: &Actor, ids: &[GroupId]) -> Result<Vec<Group>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<GroupRow> = c.all(&GET_MANY, args![&a.org, Arg::ids(ids)]).await?;
    let found: Vec<Group> = rows.into_iter().map(Group::try_from).collect::<Result<_>>()?;
    Ok(in_order(ids, found, |group| group.id.clone()))
}

/// Writes a group with its agents and blocks. [`StoreError::NotFound`] when it or one of them is unknown.
#[boxed]
pub async fn update(c: &mut Conn, a: &Actor, group: &Group, now: Timestamp) -> Result<()> {
    let mut arguments = args![&a.org, now];
    arguments.extend(values(a, group));
    match c.run(&UPDATE, arguments).await? {
        0 => Err(StoreError::NotFound),
        _ => set_members(c, a, group).await,
    }
}

/// Counts a turn of the manager, from 0 up to below `frequency` and again; the new count comes back.
#[boxed]
pub async fn count_turn(c: &mut Conn, a: &Actor, id: &GroupId, frequency: i64) -> Result<Option<i64>> {
    let row: Option<(i64,)> = c.one(&COUNT_TURN, args![&a.org, id, frequency]).await?;
    Ok(row.map(|(count,)| count))
}

/// Remembers up to which message the sleep-time agents were told.
#[boxed]
pub async fn set_processed(c: &mut Conn, a: &Actor, id: &GroupId, message: &MessageId) -> Result<()> {
    c.effect(&PROCESSED, args![&a.org, id, message]).await
}

/// Removes a group; its agents and blocks stay. False when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &GroupId) -> Result<bool> {
    Ok(c.run(&DELETE, args![&a.org, id]).await? > 0)
}

fn restrict<'a>(query: &mut Query<'a>, a: &'a Actor, filter: &'a GroupFilter) {
    query.with(" where g.org_id = ", &a.org);
    query.maybe(" and g.manager_type = ", filter.manager_type.map(ManagerType::as_str));
    query.maybe(" and g.project_id = ", filter.project_id.as_ref());
    if let Some(agent) = &filter.agent_id {
        query.with(" and (g.manager_agent_id = ", agent);
        query.push(" or exists (select 1 from group_agents ga where ga.org_id = g.org_id and ga.group_id = g.id");
        query.with(" and ga.agent_id = ", agent).push("))");
    }
    if !filter.include_hidden {
        query.push(" and g.hidden is not true");
    }
}

/// A page of groups in the order of their creation.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, filter: &GroupFilter, page: &Page) -> Result<Vec<Group>> {
    let mut query = c.query(match c.engine() {
        Engine::Sqlite => concat!("select ", columns!("json_group_array", "json_array", ""), " from agent_groups g"),
        Engine::Postgres => {
            concat!("select ", columns!("json_agg", "json_build_array", "::text"), " from agent_groups g")
        }
    });
    restrict(&mut query, a, filter);
    let rows: Vec<GroupRow> = KEYSET.page(c, a, query, page).await?;
    rows.into_iter().map(Group::try_from).collect()
}

/// How many groups a filter lets through.
#[boxed]
pub async fn count(c: &mut Conn, a: &Actor, filter: &GroupFilter) -> Result<i64> {
    let mut query = c.query("select count(*) from agent_groups g");
    restrict(&mut query, a, filter);
    Ok(c.query_one::<(i64,)>(query).await?.unwrap_or_default().0)
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), messages::statements()].concat()
}
