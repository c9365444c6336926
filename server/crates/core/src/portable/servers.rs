//! MCP servers in agent files: how to reach those that have the agents' tools, without what lets one in.

use std::{collections::BTreeMap, sync::Arc};

use mneme_domain::{
    Actor, JsonObject, Timestamp,
    agent::AgentFull,
    mcp::{McpConfig, McpOrigin, McpServer, McpServerType},
    tool::{Tool, ToolType},
};
use mneme_macros::boxed;
use mneme_store::{Conn, mcp, tools};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    import::relabel,
    lenient::{Fault, field, text, texts},
    plan::{listed, settle_tool, wrong},
};
use crate::{Core, Result, mcp::McpServerBody};

/// What begins a tool's tag that names its server.
const TAG: &str = "mcp:";
/// The part of a tool's metadata that says which server has it.
const ORIGIN: &str = "mcp";

/// A server of a file.
pub struct PlannedServer {
    place: String,
    file_id: Option<String>,
    name: String,
    /// None when the file does not say how to reach it.
    config: Option<McpConfig>,
}

/// Reads the servers of a file.
///
/// # Errors
/// 400 for what is wrong with one.
pub fn plan(rest: &mut JsonObject) -> Result<Vec<PlannedServer>> {
    let read = |(place, fields): (String, JsonObject)| {
        planned(&fields).map_err(|fault| wrong(&place, fault)).map(|(file_id, name, config)| PlannedServer {
            place,
            file_id,
            name,
            config,
        })
    };
    listed(rest, "mcp_servers")?.into_iter().map(read).collect()
}

type Read = (Option<String>, String, Option<McpConfig>);

fn planned(fields: &JsonObject) -> std::result::Result<Read, Fault> {
    let name = text(fields, "server_name")?.ok_or("it has no server_name")?;
    let process: JsonObject = field(fields, "stdio_config")?.unwrap_or_default();
    let kind: Option<McpServerType> = field(fields, "server_type")?;
    let stdio = kind.map_or(!process.is_empty(), |kind| kind == McpServerType::Stdio);
    let body = match (stdio, text(&process, "command")?, text(fields, "server_url")?) {
        (true, Some(command), _) => {
            let env: BTreeMap<String, Option<String>> = field(&process, "env")?.unwrap_or_default();
            let env: BTreeMap<String, String> =
                env.into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect();
            let (args, env) = (texts(&process, "args")?, (!env.is_empty()).then_some(env));
            Some(json!({ "server_name": name, "type": "stdio", "command": command, "args": args, "env": env }))
        }
        (false, _, Some(url)) => {
            let kind = kind.unwrap_or(McpServerType::StreamableHttp);
            Some(json!({ "server_name": name, "type": kind, "server_url": url }))
        }
        _ => None,
    };
    let body = body.map(McpServerBody::deserialize).transpose().map_err(|error| error.to_string())?;
    Ok((text(fields, "id")?, name, body.map(|body| body.config)))
}

/// Where a tool says that it is from: its server's name in the file, and the server's own name.
#[derive(Debug, PartialEq, Eq)]
pub struct Home {
    file_id: Option<String>,
    name: Option<String>,
}

/// Where a tool is from; none for a tool of no MCP server.
pub fn home(tool: &Tool) -> Option<Home> {
    if tool.tool_type != ToolType::ExternalMcp {
        return None;
    }
    let origin = tool.metadata_.as_ref().and_then(|metadata| metadata.get(ORIGIN));
    let said = |key: &str| origin.and_then(|origin| origin.get(key)?.as_str()).map(str::to_owned);
    let tagged = || tool.tags.iter().find_map(|tag| tag.strip_prefix(TAG)).map(str::to_owned);
    Some(Home { file_id: said("server_id"), name: said("server_name").or_else(tagged) })
}

/// The servers of a file, as far as this server has them or was allowed to set them up.
pub struct Servers(Vec<(PlannedServer, Option<McpServer>)>);

#[boxed]
impl Servers {
    /// Finds the servers by their names, or sets them up.
    pub async fn write(core: &Core, tx: &mut Conn, actor: &Actor, planned: Vec<PlannedServer>) -> Result<Self> {
        let mut settled = Vec::with_capacity(planned.len());
        for mut one in planned {
            let config = one.config.take();
            let found = core.adopt_mcp_server(tx, actor, &one.name, config).await;
            let found = found.map_err(|error| relabel(&one.place, error))?;
            settled.push((one, found));
        }
        Ok(Self(settled))
    }

    async fn of(&self, tx: &mut Conn, actor: &Actor, home: &Home) -> Result<Option<McpServer>> {
        let by_id = |one: &PlannedServer| one.file_id.is_some() && one.file_id == home.file_id;
        let by_name = |one: &PlannedServer| home.name.as_ref() == Some(&one.name);
        let planned = self.0.iter().find(|(one, _)| by_id(one)).or_else(|| self.0.iter().find(|(one, _)| by_name(one)));
        match (planned, &home.name) {
            (Some((_, found)), _) => Ok(found.clone()),
            // Files of older servers name the servers of their tools, and no more.
            (None, Some(name)) => Ok(mcp::by_name(tx, actor, name).await?),
            (None, None) => Ok(None),
        }
    }

    /// Finds a tool on its server, or writes it. One whose server is not set up is kept, and says so when it is called.
    pub async fn settle_tool(&self, tx: &mut Conn, actor: &Actor, tool: &Tool, now: Timestamp) -> Result<Tool> {
        let server = match home(tool) {
            Some(home) => self.of(tx, actor, &home).await?,
            None => None,
        };
        let mut tool = tool.clone();
        let origin = tool.metadata_.as_mut().and_then(|metadata| metadata.shift_remove(ORIGIN)).unwrap_or_default();
        let Some(server) = server else {
            // A server's identifier would be somebody else's.
            if let Value::Object(mut fields) = origin {
                fields.shift_remove("server_id");
                tool.metadata_.get_or_insert_default().insert(ORIGIN.into(), Value::Object(fields));
            }
            return settle_tool(tx, actor, &tool, false, now).await;
        };
        let ids = mcp::tools_of(tx, actor, &server.id).await?;
        let known = tools::by_ids(tx, actor, &ids).await?;
        if let Some(known) = known.into_iter().find(|known| known.call_name() == tool.call_name()) {
            return Ok(known);
        }
        // What the file says of the tool is a stranger's word, so the server's own description replaces it when it is heard.
        let origin = McpOrigin {
            server_name: server.name.clone(),
            server_id: server.id.clone(),
            tool_name: origin.get("tool_name").and_then(Value::as_str).map(str::to_owned),
            seen: None,
            changed_at: None,
            changes: None,
        };
        origin.put(&mut tool.metadata_);
        tool.tags.retain(|tag| !tag.starts_with(TAG));
        tool.tags.insert(0, format!("{TAG}{}", server.name));
        tools::insert(tx, actor, &tool, now).await?;
        Ok(tool)
    }
}

/// The servers that have tools of these agents, each once.
#[boxed]
pub async fn of(core: &Arc<Core>, actor: &Actor, agents: &[AgentFull]) -> Result<Vec<McpServer>> {
    let mut servers: Vec<McpServer> = Vec::new();
    for tool in agents.iter().flat_map(|full| &full.tools).filter(|tool| tool.tool_type == ToolType::ExternalMcp) {
        let Some(origin) = McpOrigin::of(tool.metadata_.as_ref()) else { continue };
        if !servers.iter().any(|known| known.id == origin.server_id) {
            let mut conn = core.store.read().await?;
            servers.extend(mcp::without_tools(&mut conn, actor, &origin.server_id).await?);
        }
    }
    Ok(servers)
}

/// Has a tool that is written name its server, and say nothing else of it.
pub fn name_home(written: &mut JsonObject, tool: &Tool, servers: &[McpServer]) {
    if tool.tool_type != ToolType::ExternalMcp {
        return;
    }
    let Some(origin) = McpOrigin::of(tool.metadata_.as_ref()) else { return };
    let place = servers.iter().position(|server| server.id == origin.server_id);
    let mut told = json!({ "server_name": origin.server_name, "server_id": place.map(name_of) });
    if let Some(name) = origin.tool_name {
        told["tool_name"] = name.into();
    }
    if let Some(Value::Object(metadata)) = written.get_mut("metadata_") {
        metadata.insert(ORIGIN.into(), told);
    }
}

fn name_of(place: usize) -> String {
    format!("mcp_server-{place}")
}

/// The servers of a file. Tokens, headers, arguments and variables stay here; of the variables the names are told.
pub fn written(servers: &[McpServer]) -> Vec<Value> {
    let one = |(place, server): (usize, &McpServer)| {
        let (url, process) = match &server.config {
            McpConfig::Remote(remote) => (bare(&remote.server_url), Value::Null),
            McpConfig::Stdio(stdio) => {
                let names: Option<BTreeMap<&String, &str>> =
                    stdio.env.as_ref().map(|env| env.keys().map(|name| (name, "")).collect());
                let process = json!({
                    "server_name": server.name, "type": McpServerType::Stdio, "command": stdio.command, "args": [],
                    "env": names,
                });
                (None, process)
            }
        };
        json!({
            "id": name_of(place),
            "server_type": server.config.server_type(),
            "server_name": server.name,
            "server_url": url,
            "stdio_config": process,
            "metadata_": {},
        })
    };
    servers.iter().enumerate().map(one).collect()
}

/// An address without what often carries a key: the user before the host, and what follows the path.
fn bare(url: &str) -> Option<String> {
    let (scheme, rest) = url.split(['?', '#']).next()?.split_once("://")?;
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    Some(format!("{scheme}://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: Value) -> std::result::Result<Read, Fault> {
        planned(given.as_object().unwrap())
    }

    #[test]
    fn addresses_leave_keys_behind() {
        for (url, expected) in [
            ("https://a.example/mcp?key=k#f", "https://a.example/mcp"),
            ("https://user:p@ss@a.example:8443/mcp/@me", "https://a.example:8443/mcp/@me"),
            ("http://a.example", "http://a.example"),
        ] {
            assert_eq!(bare(url).as_deref(), Some(expected));
        }
        assert_eq!(bare("user:key@host"), None);
    }

    #[test]
    fn servers_with_little_in_them_are_read() {
        let (id, name, config) =
            read(json!({"id": "m", "server_name": "a", "server_type": null, "server_url": "http://x/mcp"})).unwrap();
        assert_eq!((id.as_deref(), name.as_str()), (Some("m"), "a"));
        assert_eq!(config.unwrap().server_type(), McpServerType::StreamableHttp);
        let process = json!({"server_name": "a", "stdio_config": {"command": "c", "args": null, "env": {"K": null}}});
        let Some(McpConfig::Stdio(stdio)) = read(process).unwrap().2 else { panic!("it is a process") };
        assert_eq!((stdio.command.as_str(), stdio.args.len()), ("c", 0));
        assert_eq!(stdio.env.unwrap()["K"], "");
        assert!(read(json!({"server_name": "a", "server_type": "sse", "server_url": null})).unwrap().2.is_none());
        for (given, reason) in [
            (json!({"server_type": "sse"}), "it has no server_name"),
            (json!({"server_name": "a", "server_type": "pigeon"}), "server_type"),
            (json!({"server_name": "a", "server_url": "ftp://x"}), "server_url: it must be an address"),
            (json!({"server_name": "a/b", "server_url": "http://x"}), "server_name"),
        ] {
            assert!(read(given.clone()).unwrap_err().contains(reason), "{given}");
        }
    }
}
