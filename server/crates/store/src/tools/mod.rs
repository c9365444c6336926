//! Tools, by unique name within an organisation, and which agents may call them. Tools of MCP servers have names that are
//! unique on their server only, so looking one up by its name alone finds none of them ([`find`] does).

mod attach;
mod cache;
mod component;
mod list;
mod policy;
pub(crate) mod row;

pub use attach::{attach, attach_first, detach, of_agent, set_of_agent};
pub use cache::find;
pub(crate) use cache::{ToolCache, ToolRef, shared};
pub use component::{PackedCode, code, code_hash, component_of, put_code, set_component, sweep_code};
pub use list::{ToolFilter, count, list};
use mneme_domain::{Actor, Timestamp, ToolId, tool::Tool};
use mneme_macros::boxed;
pub use policy::{Written, policy, set_ceiling, set_policy};
use row::{ToolRow, VALUES, columns, values};

use crate::{
    Conn, Result, StoreError, in_order,
    query::Query,
    sql::{Arg, args, statements},
};

macro_rules! update {
    ($greater:literal) => {
        concat!(
            "update tools set updated_at = ",
            $greater,
            "($2, updated_at + 1), name = $4, tool_type = $5, description = $6, source_type = $7,
            source_code = $8, tags = $9, json_schema = $10, args_json_schema = $11, return_char_limit = $12,
            pip_requirements = $13, npm_requirements = $14, default_requires_approval = $15,
            enable_parallel_execution = $16, metadata = $17, created_by_id = $18, last_updated_by_id = $19,
            mcp_server_id = $20, mcp_name = $21
        where org_id = $1 and id = $3"
        )
    };
}

statements! {
    GET: concat!("select ", columns!(), " from tools t where t.org_id = $1 and t.id = $2");
    BY_NAME: concat!("select ", columns!(), " from tools t where t.org_id = $1 and t.name = $2");
    BY_IDS: concat!("select ", columns!(), " from tools t where t.org_id = $1 and t.id = any($2)");
    BY_NAMES: concat!("select ", columns!(), " from tools t where t.org_id = $1 and t.name = any($2)");
    // The time of the last update tells versions of a tool apart (see `cache`), so it grows with each update.
    UPDATE: update!("greatest"), sqlite: update!("max");
    DELETE: "delete from tools where org_id = $1 and id = $2";
}

fn read(rows: Vec<ToolRow>) -> Result<Vec<Tool>> {
    rows.into_iter().map(Tool::try_from).collect()
}

/// Adds a tool; `Conflict("tools_org_id_name")` when its name is taken.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, tool: &Tool, now: Timestamp) -> Result<()> {
    let mut row = args![&a.org, now, now];
    row.extend(values(tool)?);
    c.query_run(Query::insert(c.engine(), "tools", VALUES, vec![row])).await.map(drop)
}

/// A tool.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &ToolId) -> Result<Option<Tool>> {
    c.one::<ToolRow>(&GET, args![&a.org, id]).await?.map(Tool::try_from).transpose()
}

/// The tool of a name.
#[boxed]
pub async fn by_name(c: &mut Conn, a: &Actor, name: &str) -> Result<Option<Tool>> {
    c.one::<ToolRow>(&BY_NAME, args![&a.org, name]).await?.map(Tool::try_from).transpose()
}

/// Tools in the given order; unknown names are left out.
#[boxed]
pub async fn by_names(c: &mut Conn, a: &Actor, names: &[String]) -> Result<Vec<Tool>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let tools = read(c.all(&BY_NAMES, args![&a.org, Arg::List(names.to_vec())]).await?)?;
    Ok(in_order(names, tools, |tool| tool.call_name().to_owned()))
}

/// Tools in the given order; unknown identifiers are left out.
#[boxed]
pub async fn by_ids(c: &mut Conn, a: &Actor, ids: &[ToolId]) -> Result<Vec<Tool>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let tools = read(c.all(&BY_IDS, args![&a.org, Arg::ids(ids)]).await?)?;
    Ok(in_order(ids, tools, |tool| tool.id.clone()))
}

/// Writes every field of a tool. [`StoreError::NotFound`] when there is none, `Conflict("tools_org_id_name")`
/// when its new name is taken.
#[boxed]
pub async fn update(c: &mut Conn, a: &Actor, tool: &Tool, now: Timestamp) -> Result<()> {
    let mut arguments = args![&a.org, now];
    arguments.extend(values(tool)?);
    match c.run(&UPDATE, arguments).await? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

/// Removes a tool from all agents and altogether; false when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &ToolId) -> Result<bool> {
    let gone = c.run(&DELETE, args![&a.org, id]).await? > 0;
    sweep_code(c, a).await?;
    Ok(gone)
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), attach::statements(), cache::statements(), component::statements(), policy::statements()].concat()
}
