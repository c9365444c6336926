//! Agents, and what hangs off them.

mod full;
mod list;
pub(crate) mod row;
mod tags;
mod variables;

pub use full::{equipment, full, full_many};
pub(crate) use list::page;
pub use list::{AgentFilter, AgentSort, count, list};
use mneme_domain::{Actor, AgentId, BlockId, MessageId, Timestamp, agent::Agent};
use mneme_macros::boxed;
use row::{AgentRow, VALUES, columns, values};
pub use tags::{set_tags, tags_of};
pub use variables::{set_variables, variables_of};

use crate::{
    Conn, Result, StoreError, blocks, json,
    query::Query,
    sql::{args, statements},
};

statements! {
    GET: concat!("select ", columns!(), " from agents a where a.org_id = $1 and a.id = $2");
    VERSION: "select version from agents where org_id = $1 and id = $2";
    UPDATE: "update agents set version = version + 1, name = $4, name_folded = $5, agent_type = $6, system = $7,
            llm_config = $8, embedding_config = $9, tool_rules = $10, message_ids = $11, response_format = $12,
            description = $13, metadata = $14, memory_variables = $15, project_id = $16, template_id = $17,
            base_template_id = $18, deployment_id = $19, entity_id = $20, message_buffer_autoclear = $21,
            enable_sleeptime = $22, last_run_completion = $23, last_run_duration_ms = $24, timezone = $25,
            max_files_open = $26, per_file_view_window_char_limit = $27, hidden = $28, created_at = $29,
            updated_at = $30, created_by_id = $31, last_updated_by_id = $32
        where org_id = $1 and version = $2 and id = $3 returning version";
    TOUCH: "update agents set version = version + 1, message_ids = $4, updated_at = $5,
            last_run_completion = coalesce($6, last_run_completion),
            last_run_duration_ms = coalesce($7, last_run_duration_ms)
        where org_id = $1 and version = $2 and id = $3 and lease_fence = coalesce($8, lease_fence)
        returning version";
    DELETE: "delete from agents where org_id = $1 and id = $2";
}

/// Adds an agent at its version.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, agent: &Agent) -> Result<()> {
    let mut row = args![&a.org, agent.version];
    row.extend(values(agent)?);
    c.query_effect(Query::insert(c.engine(), "agents", VALUES, vec![row])).await
}

/// An agent.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &AgentId) -> Result<Option<Agent>> {
    c.one::<AgentRow>(&GET, args![&a.org, id]).await?.map(Agent::try_from).transpose()
}

/// Why an update changed no row.
async fn why_unchanged(c: &mut Conn, a: &Actor, id: &AgentId) -> Result<StoreError> {
    let known: Option<(i64,)> = c.one(&VERSION, args![&a.org, id]).await?;
    Ok(if known.is_some() { StoreError::Stale } else { StoreError::NotFound })
}

/// Writes every field of an agent and returns its new version.
///
/// [`StoreError::Stale`] unless `agent.version` is the stored one, [`StoreError::NotFound`] when there is none.
#[boxed]
pub async fn update(c: &mut Conn, a: &Actor, agent: &Agent) -> Result<i64> {
    let mut arguments = args![&a.org, agent.version];
    arguments.extend(values(agent)?);
    match c.one::<(i64,)>(&UPDATE, arguments).await? {
        Some((version,)) => Ok(version),
        None => Err(why_unchanged(c, a, &agent.id).await?),
    }
}

/// The cheap update of every turn: which messages are in the context window, and how the last run went (`None`
/// keeps what was there). Returns the new version; errors as of [`update`].
#[expect(clippy::too_many_arguments, reason = "the columns that a turn changes, nothing to group them by")]
#[boxed]
pub async fn touch_context(
    c: &mut Conn,
    a: &Actor,
    id: &AgentId,
    message_ids: &[MessageId],
    expected_version: i64,
    last_run_completion: Option<Timestamp>,
    last_run_duration_ms: Option<i64>,
    now: Timestamp,
) -> Result<i64> {
    let last_run = (last_run_completion, last_run_duration_ms);
    touch_fenced(c, a, id, message_ids, (expected_version, None), last_run, now).await
}

/// As [`touch_context`], for a turn: `expected` is the row's version and, where it counts, its fence. `last_run` is
/// when the run ended and how many milliseconds it took.
#[boxed]
pub async fn touch_fenced(
    c: &mut Conn,
    a: &Actor,
    id: &AgentId,
    message_ids: &[MessageId],
    expected: (i64, Option<i64>),
    last_run: (Option<Timestamp>, Option<i64>),
    now: Timestamp,
) -> Result<i64> {
    let message_ids = json::text(message_ids)?;
    let arguments = args![&a.org, expected.0, id, message_ids, now, last_run.0, last_run.1, expected.1];
    match c.one::<(i64,)>(&TOUCH, arguments).await? {
        Some((version,)) => Ok(version),
        None => Err(why_unchanged(c, a, id).await?),
    }
}

/// Removes an agent with its messages, runs, steps, tags and variables, but not the blocks and tools that were
/// attached to it. False when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &AgentId) -> Result<bool> {
    Ok(c.run(&DELETE, args![&a.org, id]).await? > 0)
}

/// Replaces an agent's blocks by these, in this order; errors as of [`blocks::attach`].
#[boxed]
pub async fn set_blocks(c: &mut Conn, a: &Actor, id: &AgentId, blocks: &[BlockId]) -> Result<()> {
    blocks::set_of_agent(c, a, id, blocks).await
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), full::statements(), tags::statements(), variables::statements()].concat()
}
