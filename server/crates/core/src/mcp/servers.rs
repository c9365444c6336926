//! The servers that an organisation uses.

use std::{sync::Arc, time::Duration};

use mneme_domain::{
    Actor, AgentId, JsonObject, McpServerId, Role, ToolId,
    mcp::{McpConfig, McpRefresh, McpServer, McpServerView, McpTool},
    message::ToolStatus,
    tool::Tool,
};
use mneme_macros::boxed;
use mneme_store::{Conn, StoreError, mcp, tools};

use super::{
    McpLog, McpServerBody, McpServerChanges, failure::Trouble, pool::Urgency, resolve::resolve, settings::MAX_SERVERS,
    tools::Extent,
};
use crate::{Core, CoreError, Result, api, execute::Answer};

/// How old a server's list of tools may be for somebody who only looks.
const FRESH: Duration = Duration::from_secs(30);

/// Who may set servers up: tools may not, and programs on this machine are for administrators alone.
pub(super) fn may_change(actor: &Actor, config: Option<&McpConfig>) -> Result<()> {
    if api::inside_tool() {
        return Err(CoreError::Forbidden("A tool cannot change or try MCP servers".into()));
    }
    if actor.role < Role::Member {
        return Err(CoreError::Forbidden("Only members of the organisation change MCP servers".into()));
    }
    if matches!(config, Some(McpConfig::Stdio(_))) && actor.role < Role::Admin {
        return Err(CoreError::Forbidden("Only an administrator may have stdio servers started".into()));
    }
    Ok(())
}

/// A configuration that makes no sense.
fn wrong(reason: String) -> CoreError {
    match reason.split_once(": ") {
        Some((field, reason)) => CoreError::field(field, reason),
        None => CoreError::field("config", reason),
    }
}

fn missing(what: &str) -> CoreError {
    CoreError::NotFound(format!("MCP server {what} not found"))
}

fn taken(error: StoreError, name: &str) -> CoreError {
    match error {
        StoreError::Conflict(_) => CoreError::Conflict(format!("An MCP server named {name} is set up already")),
        other => other.into(),
    }
}

#[boxed]
impl Core {
    /// A server as its owner sees it. Secrets are not shown to tools, nor to those who cannot change them.
    pub fn mcp_view(&self, actor: &Actor, server: McpServer, identified: bool) -> McpServerView {
        let secrets = actor.role >= Role::Member && !api::inside_tool();
        McpServerView { server, secrets, identified }
    }

    /// All servers, the oldest first.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_mcp_servers(&self, actor: &Actor) -> Result<Vec<McpServer>> {
        let mut conn = self.store.read().await?;
        Ok(mcp::list(&mut conn, actor).await?)
    }

    /// One server.
    ///
    /// # Errors
    /// 404 for an unknown one.
    pub async fn get_mcp_server(&self, actor: &Actor, id: &McpServerId) -> Result<McpServer> {
        let mut conn = self.store.read().await?;
        mcp::get(&mut conn, actor, id).await?.ok_or_else(|| missing(id.to_string().as_str()))
    }

    /// The server of a name.
    ///
    /// # Errors
    /// 404 for an unknown one.
    pub async fn mcp_server_named(&self, actor: &Actor, name: &str) -> Result<McpServer> {
        let mut conn = self.store.read().await?;
        mcp::by_name(&mut conn, actor, name).await?.ok_or_else(|| missing(name))
    }

    pub(super) async fn mcp_server_for_call(&self, actor: &Actor, id: &McpServerId) -> Result<Option<McpServer>> {
        let mut conn = self.store.read().await?;
        Ok(mcp::without_tools(&mut conn, actor, id).await?)
    }

    /// Sets a server up.
    ///
    /// # Errors
    /// 409 when the name is taken, 403 for what may not be set up.
    pub async fn add_mcp_server(self: &Arc<Self>, actor: &Actor, body: McpServerBody) -> Result<McpServer> {
        self.may_add_mcp_server(actor, &body.config)?;
        let mut tx = self.store.write().await?;
        let server = self.insert_mcp_server(&mut tx, actor, body).await?;
        tx.commit().await?;
        Ok(server)
    }

    fn may_add_mcp_server(&self, actor: &Actor, config: &McpConfig) -> Result<()> {
        may_change(actor, Some(config))?;
        if matches!(config, McpConfig::Stdio(_)) && !self.mcp.settings.stdio {
            return Err(CoreError::Forbidden(
                "stdio servers run programs on the server's machine, which its operator has not allowed (setting \
                 mcp_stdio)"
                    .into(),
            ));
        }
        Ok(())
    }

    async fn insert_mcp_server(&self, tx: &mut Conn, actor: &Actor, body: McpServerBody) -> Result<McpServer> {
        let now = self.env.now();
        let server = McpServer {
            id: McpServerId::from_uuid(self.env.uuid()),
            name: body.server_name,
            config: body.config,
            tools: None,
            synced_at: None,
            last_error: None,
            created_at: now,
            updated_at: now,
            created_by_id: Some(actor.user.to_string()),
            last_updated_by_id: Some(actor.user.to_string()),
        };
        if mcp::count(tx, actor).await? >= MAX_SERVERS {
            return Err(CoreError::Invalid(format!("An organisation has at most {MAX_SERVERS} MCP servers")));
        }
        mcp::insert(tx, actor, &server).await.map_err(|error| taken(error, &server.name))?;
        Ok(server)
    }

    /// The server of a name, or a new one when it may be set up here. Nobody asks it for anything.
    pub(crate) async fn adopt_mcp_server(
        &self,
        tx: &mut Conn,
        actor: &Actor,
        name: &str,
        config: Option<McpConfig>,
    ) -> Result<Option<McpServer>> {
        if let Some(known) = mcp::by_name(tx, actor, name).await? {
            return Ok(Some(known));
        }
        let Some(config) = config else { return Ok(None) };
        // Whoever gave a permission under this name meant another server than a file's author does.
        if mcp::grants::by_name(tx, actor, name).await?.is_some() {
            tracing::info!(server = name, "an MCP server of an agent file is not set up: its name has a permission");
            return Ok(None);
        }
        if let Err(error) = self.may_add_mcp_server(actor, &config) {
            tracing::info!(server = name, %error, "an MCP server of an agent file is not set up");
            return Ok(None);
        }
        let body = McpServerBody { server_name: name.to_owned(), config };
        self.insert_mcp_server(tx, actor, body).await.map(Some)
    }

    /// Sets a server up and takes all of its tools. A server that cannot be reached yet is set up all the same; its tools
    /// come with a refresh.
    ///
    /// # Errors
    /// As [`Core::add_mcp_server`].
    pub async fn create_mcp_server(self: &Arc<Self>, actor: &Actor, body: McpServerBody) -> Result<McpServer> {
        let server = self.add_mcp_server(actor, body).await?;
        if let Ok(listed) = self.mcp_listed(actor, &server, Urgency::Now).await {
            self.sync_mcp_tools(actor, &server, &listed, Extent::All).await?;
        }
        Ok(server)
    }

    /// Changes a server. Its connections end; the next call makes a new one.
    ///
    /// # Errors
    /// 404 for an unknown server, 409 when the new name is taken, 422 for values that make no sense.
    pub async fn update_mcp_server(
        self: &Arc<Self>,
        actor: &Actor,
        server: McpServer,
        changes: McpServerChanges,
    ) -> Result<McpServer> {
        may_change(actor, Some(&server.config))?;
        let (name, config) = changes.apply(&server.name, &server.config).map_err(wrong)?;
        let now = self.env.now();
        let changed = McpServer { name, config, updated_at: now, ..server.clone() };
        let mut tx = self.store.write().await?;
        mcp::update(&mut tx, actor, &changed, now).await.map_err(|error| match error {
            StoreError::NotFound => missing(&server.name),
            other => taken(other, &changed.name),
        })?;
        if changed.name != server.name {
            mcp::grants::rename(&mut tx, actor, &server.name, &changed.name).await?;
            self.rename_mcp_tools(&mut tx, actor, &changed).await?;
        }
        tx.commit().await?;
        self.mcp.pool.forget(&changed.id);
        Ok(changed)
    }

    /// Removes a server, its tools from all agents, and the permission that was given for it.
    ///
    /// # Errors
    /// 404 for an unknown server.
    pub async fn delete_mcp_server(self: &Arc<Self>, actor: &Actor, server: &McpServer) -> Result<()> {
        may_change(actor, None)?;
        let mut tx = self.store.write().await?;
        if !mcp::delete(&mut tx, actor, &server.id).await? {
            return Err(missing(&server.name));
        }
        mcp::grants::delete(&mut tx, actor, &server.name).await?;
        tx.commit().await?;
        self.mcp.pool.forget(&server.id);
        self.mcp.pool.logs.forget(&server.id);
        Ok(())
    }

    /// Asks a server for its tools.
    pub(super) async fn mcp_listed(
        self: &Arc<Self>,
        actor: &Actor,
        server: &McpServer,
        urgency: Urgency,
    ) -> Result<Vec<McpTool>, Trouble> {
        let resolved = resolve(&server.config, None)?;
        // A connection that has broken since it was used last says so only now.
        for last in [false, true] {
            let connection = self.mcp_connection(actor, server, &resolved, urgency).await?;
            match connection.tools().await {
                Err(trouble) if trouble.breaks() => {
                    self.mcp_discard(actor, server, &resolved, &connection).await;
                    if last || matches!(trouble, Trouble::Timeout(..)) {
                        return Err(trouble);
                    }
                }
                other => return other,
            }
        }
        Err(Trouble::Wrong("it could not be asked".into()))
    }

    /// The tools of a server, as it listed them within the last half minute, or as it lists them now.
    ///
    /// # Errors
    /// 400 and 408 when it cannot be asked.
    pub async fn mcp_tools(self: &Arc<Self>, actor: &Actor, server: &McpServer) -> Result<Vec<McpTool>> {
        let fresh = server.synced_at.is_some_and(|at| (self.env.now() - at).to_std().is_ok_and(|age| age < FRESH));
        if fresh
            && server.last_error.is_none()
            && server.synced_at > Some(server.updated_at)
            && let Some(tools) = &server.tools
        {
            return Ok(tools.clone());
        }
        let listed = self.mcp_listed(actor, server, Urgency::Now).await;
        let listed = listed.map_err(|trouble| CoreError::Mcp(trouble.failure(&server.name)))?;
        self.sync_mcp_tools(actor, server, &listed, Extent::Known).await?;
        Ok(listed)
    }

    /// Takes one tool of a server into the registry.
    ///
    /// # Errors
    /// 404 for a tool that the server does not have, 400 for one that no model can be offered.
    pub async fn add_mcp_tool(self: &Arc<Self>, actor: &Actor, server: &McpServer, name: &str) -> Result<Tool> {
        may_change(actor, None)?;
        let listed = self.mcp_tools(actor, server).await?;
        let found = listed
            .iter()
            .find(|tool| tool.name == name)
            .ok_or_else(|| CoreError::NotFound(format!("MCP server {} has no tool named {name}", server.name)))?;
        self.take_mcp_tool(actor, server, found).await
    }

    /// The registry's tools of a server.
    ///
    /// # Errors
    /// 404 for an unknown server.
    pub async fn registered_mcp_tools(&self, actor: &Actor, id: &McpServerId) -> Result<Vec<Tool>> {
        let mut conn = self.store.read().await?;
        let ids = mcp::tools_of(&mut conn, actor, id).await?;
        if ids.is_empty() && mcp::get(&mut conn, actor, id).await?.is_none() {
            return Err(missing(id.to_string().as_str()));
        }
        let found = tools::find(&mut conn, actor, &ids, &[]).await?;
        let mut found: Vec<Tool> = found.into_iter().map(Arc::unwrap_or_clone).collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// One tool of a server.
    ///
    /// # Errors
    /// 404 for an unknown server, and for a tool that is not its own.
    pub async fn registered_mcp_tool(&self, actor: &Actor, server: &McpServerId, id: &ToolId) -> Result<Tool> {
        let tools = self.registered_mcp_tools(actor, server).await?;
        tools.into_iter().find(|tool| tool.id == *id).ok_or_else(|| CoreError::missing("Tool", id))
    }

    /// Calls a tool of a server on behalf of a person.
    ///
    /// # Errors
    /// 403 from inside a tool. What the call came to, well or badly, is the answer.
    pub async fn run_mcp_tool(
        self: &Arc<Self>,
        actor: &Actor,
        server: &McpServer,
        tool: &Tool,
        arguments: JsonObject,
    ) -> Result<Answer> {
        let origin = mneme_domain::mcp::McpOrigin::of(tool.metadata_.as_ref());
        let there = origin.and_then(|origin| origin.tool_name).unwrap_or_else(|| tool.call_name().to_owned());
        self.run_listed_mcp_tool(actor, server, &there, arguments).await
    }

    /// The same for a tool that need not be in the registry.
    ///
    /// # Errors
    /// 403 from inside a tool, which could go round a person's approval.
    pub async fn run_listed_mcp_tool(
        self: &Arc<Self>,
        actor: &Actor,
        server: &McpServer,
        name: &str,
        arguments: JsonObject,
    ) -> Result<Answer> {
        may_change(actor, None)?;
        Ok(match self.mcp_call_tool(actor, server, name, arguments, None).await {
            Ok(called) => Answer {
                status: if called.failed { ToolStatus::Error } else { ToolStatus::Success },
                text: called.text,
                stdout: Vec::new(),
                stderr: Vec::new(),
                denials: Vec::new(),
            },
            Err(trouble) => Answer::refused(trouble.failure(&server.name).message),
        })
    }

    /// Makes the registry agree with the server: new tools come, tools that are gone go, also from agents.
    ///
    /// # Errors
    /// 400 and 408 when it cannot be asked.
    pub async fn refresh_mcp_server(
        self: &Arc<Self>,
        actor: &Actor,
        server: &McpServer,
        agent: Option<&AgentId>,
    ) -> Result<McpRefresh> {
        may_change(actor, None)?;
        let listed = match agent {
            None => self.mcp_listed(actor, server, Urgency::Now).await,
            Some(agent) => {
                self.require_agent(actor, agent).await?;
                let variables = self.mcp_variables(actor, agent, &[]).await?;
                let resolved = resolve(&server.config, Some(&variables));
                let resolved = resolved.map_err(|trouble| CoreError::Mcp(trouble.failure(&server.name)))?;
                let asked = async { self.mcp_connection(actor, server, &resolved, Urgency::Now).await?.tools().await };
                asked.await
            }
        };
        let listed = listed.map_err(|trouble| CoreError::Mcp(trouble.failure(&server.name)))?;
        self.sync_mcp_tools(actor, server, &listed, Extent::All).await
    }

    /// What a stdio server wrote to standard error.
    pub fn mcp_log(&self, server: &McpServer) -> McpLog {
        self.mcp.pool.logs.of(&server.id).read()
    }
}
