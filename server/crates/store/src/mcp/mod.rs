//! MCP servers, by unique name within an organisation; how to reach them is encrypted at rest.

pub mod grants;

use mneme_domain::{
    Actor, EntityId, McpServerId, Timestamp,
    clock::from_micros,
    mcp::{McpConfig, McpServer, McpTool},
};
use mneme_macros::boxed;

use crate::{
    Conn, Result, StoreError, json,
    secrets::Place,
    sql::{Arg, args, statements},
};

/// The name of the secret in its place.
const CONFIG: &str = "config";

macro_rules! columns {
    () => {
        columns!("s.tools")
    };
    ($tools:literal) => {
        concat!(
            "s.id, s.name, s.config_enc, ",
            $tools,
            ", s.synced_at, s.last_error, s.created_at, s.updated_at, s.created_by_id, s.last_updated_by_id"
        )
    };
}

statements! {
    GET: concat!("select ", columns!(), " from mcp_servers s where s.org_id = $1 and s.id = $2");
    // What a server lists may be megabytes, and whoever calls a tool needs none of it.
    WITHOUT_TOOLS: concat!("select ", columns!("cast(null as text) as tools"),
        " from mcp_servers s where s.org_id = $1 and s.id = $2");
    BY_NAME: concat!("select ", columns!(), " from mcp_servers s where s.org_id = $1 and s.name = $2");
    LIST: concat!("select ", columns!(), " from mcp_servers s where s.org_id = $1 order by s.seq");
    COUNT: "select count(*) from mcp_servers where org_id = $1";
    INSERT: "insert into mcp_servers (org_id, id, name, config_enc, created_at, updated_at, created_by_id,
            last_updated_by_id) values ($1, $2, $3, $4, $5, $6, $7, $7)";
    UPDATE: "update mcp_servers set name = $3, config_enc = $4, updated_at = $5, last_updated_by_id = $6
        where org_id = $1 and id = $2";
    SYNCED: "update mcp_servers set tools = $3, synced_at = $4, last_error = null where org_id = $1 and id = $2";
    FAILED: "update mcp_servers set last_error = $3 where org_id = $1 and id = $2";
    DELETE: "delete from mcp_servers where org_id = $1 and id = $2";
    TOOLS: "select id from tools where org_id = $1 and mcp_server_id = $2 order by mcp_name";
}

#[derive(mneme_macros::FromRow)]
struct Row {
    id: String,
    name: String,
    config_enc: String,
    tools: Option<String>,
    synced_at: Option<i64>,
    last_error: Option<String>,
    created_at: i64,
    updated_at: i64,
    created_by_id: Option<String>,
    last_updated_by_id: Option<String>,
}

fn read(c: &Conn, a: &Actor, row: Row) -> Result<McpServer> {
    let config = c.context().secrets.open(Place(a.org.as_str(), &row.id, CONFIG), &row.config_enc)?;
    let config: McpConfig = json::value("mcp_servers.config_enc", &config)?;
    let tools: Option<Vec<McpTool>> = json::optional_value("mcp_servers.tools", row.tools.as_deref())?;
    Ok(McpServer {
        id: McpServerId::trusted(row.id),
        name: row.name,
        config,
        tools,
        synced_at: row.synced_at.map(from_micros),
        last_error: row.last_error,
        created_at: from_micros(row.created_at),
        updated_at: from_micros(row.updated_at),
        created_by_id: row.created_by_id,
        last_updated_by_id: row.last_updated_by_id,
    })
}

fn sealed(c: &Conn, a: &Actor, server: &McpServer) -> Result<String> {
    let place = Place(a.org.as_str(), server.id.as_str(), CONFIG);
    c.context().secrets.seal(place, &json::text(&server.config)?)
}

/// A server.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &McpServerId) -> Result<Option<McpServer>> {
    let row: Option<Row> = c.one(&GET, args![&a.org, id]).await?;
    row.map(|row| read(c, a, row)).transpose()
}

/// A server without the tools that it listed.
#[boxed]
pub async fn without_tools(c: &mut Conn, a: &Actor, id: &McpServerId) -> Result<Option<McpServer>> {
    let row: Option<Row> = c.one(&WITHOUT_TOOLS, args![&a.org, id]).await?;
    row.map(|row| read(c, a, row)).transpose()
}

/// The server of a name.
#[boxed]
pub async fn by_name(c: &mut Conn, a: &Actor, name: &str) -> Result<Option<McpServer>> {
    let row: Option<Row> = c.one(&BY_NAME, args![&a.org, name]).await?;
    row.map(|row| read(c, a, row)).transpose()
}

/// All servers in the order of their creation. There are few: the core sees to that.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor) -> Result<Vec<McpServer>> {
    let rows: Vec<Row> = c.all(&LIST, args![&a.org]).await?;
    rows.into_iter().map(|row| read(c, a, row)).collect()
}

/// How many there are.
#[boxed]
pub async fn count(c: &mut Conn, a: &Actor) -> Result<i64> {
    let (count,): (i64,) = c.one(&COUNT, args![&a.org]).await?.unwrap_or_default();
    Ok(count)
}

/// Adds a server; `Conflict("mcp_servers_org_id_name")` when its name is taken.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, server: &McpServer) -> Result<()> {
    let config = sealed(c, a, server)?;
    let arguments = args![&a.org, &server.id, &server.name, config, server.created_at, server.updated_at, &a.user];
    c.run(&INSERT, arguments).await.map(drop)
}

/// Writes a server's name and configuration. [`StoreError::NotFound`] when there is none,
/// `Conflict("mcp_servers_org_id_name")` when its new name is taken.
#[boxed]
pub async fn update(c: &mut Conn, a: &Actor, server: &McpServer, now: Timestamp) -> Result<()> {
    let config = sealed(c, a, server)?;
    match c.run(&UPDATE, args![&a.org, &server.id, &server.name, config, now, &a.user]).await? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

/// Writes down what a server listed.
#[boxed]
pub async fn synced(c: &mut Conn, a: &Actor, id: &McpServerId, tools: &[McpTool], now: Timestamp) -> Result<()> {
    c.run(&SYNCED, args![&a.org, id, json::text(tools)?, now]).await.map(drop)
}

/// Writes down why a server could not be reached.
#[boxed]
pub async fn failed(c: &mut Conn, a: &Actor, id: &McpServerId, reason: &str) -> Result<()> {
    c.run(&FAILED, args![&a.org, id, reason]).await.map(drop)
}

/// Removes a server and its tools, from all agents too; false when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &McpServerId) -> Result<bool> {
    Ok(c.run(&DELETE, args![&a.org, id]).await? > 0)
}

/// The identifiers of the tools that were taken from a server, by their names.
#[boxed]
pub async fn tools_of(c: &mut Conn, a: &Actor, id: &McpServerId) -> Result<Vec<mneme_domain::ToolId>> {
    let rows: Vec<(String,)> = c.all(&TOOLS, args![&a.org, id]).await?;
    Ok(rows.into_iter().map(|(id,)| mneme_domain::ToolId::trusted(id)).collect())
}

/// The columns of a tool that say which server has it: its key among all tools, its server, and its name there.
pub(crate) fn tool_columns(tool: &mneme_domain::tool::Tool) -> [Arg<'_>; 3] {
    use mneme_domain::{mcp::McpOrigin, tool::ToolType};
    let origin = match tool.tool_type {
        ToolType::ExternalMcp => McpOrigin::of(tool.metadata_.as_ref()),
        _ => None,
    };
    match origin {
        Some(origin) => [
            format!("{}/{}", origin.server_id, tool.call_name()).into(),
            origin.server_id.into_string().into(),
            (&tool.name).into(),
        ],
        None => [(&tool.name).into(), Option::<String>::None.into(), Option::<String>::None.into()],
    }
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), grants::statements()].concat()
}
