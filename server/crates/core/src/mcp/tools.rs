//! Tools of servers in the registry: taken from there, brought up to date, and noticed when they change.

use std::{collections::BTreeMap, sync::Arc};

use mneme_domain::{
    Actor, McpServerId, ToolId,
    mcp::{McpOrigin, McpRefresh, McpServer, McpTool, McpToolStatus},
    tool::{Tool, ToolType},
};
use mneme_store::{Conn, mcp, tools};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{failure::Trouble, open::Connection};
use crate::{Core, CoreError, Result};

/// The longest name that every provider takes, in characters.
const MAX_CALL_NAME: usize = 64;
/// What stands where other tools have their source.
const NO_SOURCE: &str = "raise RuntimeError(\"This tool runs on its MCP server.\")";

/// The name by which models can call a tool: providers take letters, digits, `_` and `-`.
pub fn call_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    let name: String = name.chars().map(plain).take(MAX_CALL_NAME).collect();
    if name.is_empty() { "tool".into() } else { name }
}

/// A digest of what a server says of a tool and a model sees.
fn seen(listed: &McpTool) -> String {
    let said = json!([listed.name, listed.description, listed.input_schema]).to_string();
    Sha256::digest(said).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Writes what a server says of a tool into the registry's tool.
fn describe(tool: &mut Tool, listed: &McpTool) {
    let name = call_name(&listed.name);
    let description = listed.description.clone().unwrap_or_default();
    let health = listed.health.as_ref();
    let schema = json!({
        "name": name,
        "description": description,
        "parameters": listed.input_schema,
        "mcp:SCHEMA_STATUS": health.map(|health| health.status),
        "mcp:SCHEMA_WARNINGS": health.map(|health| health.reasons.clone()).unwrap_or_default(),
    });
    tool.source_code = Some(format!("def {}(**kwargs):\n    {NO_SOURCE}", name.replace('-', "_")));
    tool.name = Some(name);
    tool.description = Some(description);
    tool.json_schema = schema.as_object().cloned();
}

fn tag(server: &str) -> String {
    format!("mcp:{server}")
}

fn is_valid(listed: &McpTool) -> bool {
    listed.health.as_ref().is_none_or(|health| health.status != McpToolStatus::Invalid)
}

/// What is to become of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// It has what the server has.
    All,
    /// What it has is as the server has it; nothing comes or goes.
    Known,
}

impl Core {
    fn fresh_mcp_tool(&self, actor: &Actor, server: &McpServer, listed: &McpTool) -> Tool {
        let mut tool = crate::tools::fresh(ToolId::from_uuid(self.env.uuid()), actor);
        tool.tool_type = ToolType::ExternalMcp;
        tool.source_type = Some("python".into());
        tool.last_updated_by_id = Some(actor.user.to_string());
        describe(&mut tool, listed);
        tool.tags = vec![tag(&server.name)];
        let different = tool.call_name() != listed.name;
        let origin = McpOrigin {
            server_name: server.name.clone(),
            server_id: server.id.clone(),
            tool_name: different.then(|| listed.name.clone()),
            seen: Some(seen(listed)),
            changed_at: None,
            changes: None,
        };
        origin.put(&mut tool.metadata_);
        tool
    }

    /// The registry's tools of a server, by their names there.
    async fn known_mcp_tools(
        &self,
        tx: &mut Conn,
        actor: &Actor,
        server: &McpServerId,
    ) -> Result<BTreeMap<String, Tool>> {
        let ids = mcp::tools_of(tx, actor, server).await?;
        let known = tools::by_ids(tx, actor, &ids).await?;
        let named = |tool: Tool| {
            let there = McpOrigin::of(tool.metadata_.as_ref()).and_then(|origin| origin.tool_name);
            (there.unwrap_or_else(|| tool.call_name().to_owned()), tool)
        };
        Ok(known.into_iter().map(named).collect())
    }

    /// Brings one tool up to date; whether a model would see the difference.
    async fn update_mcp_tool(
        &self,
        tx: &mut Conn,
        actor: &Actor,
        mut tool: Tool,
        listed: &McpTool,
    ) -> Result<(Tool, bool)> {
        let Some(mut origin) = McpOrigin::of(tool.metadata_.as_ref()) else { return Ok((tool, false)) };
        let said = seen(listed);
        if origin.seen.as_ref() == Some(&said) {
            return Ok((tool, false));
        }
        origin.seen = Some(said);
        origin.changed_at = Some(self.env.now());
        origin.changes = Some(origin.changes.unwrap_or_default() + 1);
        origin.put(&mut tool.metadata_);
        describe(&mut tool, listed);
        tools::update(tx, actor, &tool, self.env.now()).await?;
        Ok((tool, true))
    }

    /// Makes the registry agree with what a server lists.
    ///
    /// # Errors
    /// 503 without a database.
    pub(super) async fn sync_mcp_tools(
        &self,
        actor: &Actor,
        server: &McpServer,
        listed: &[McpTool],
        extent: Extent,
    ) -> Result<McpRefresh> {
        let mut tx = self.store.write().await?;
        let mut known = self.known_mcp_tools(&mut tx, actor, &server.id).await?;
        let mut refresh = McpRefresh::default();
        // Two names that differ only in what providers do not take are one: the first has it.
        let mut taken: Vec<String> = Vec::new();
        for one in listed {
            if !is_valid(one) {
                let reasons = one.health.as_ref().map(|health| health.reasons.clone()).unwrap_or_default();
                refresh.invalid.insert(one.name.clone(), reasons);
                known.remove(&one.name);
                continue;
            }
            let name = call_name(&one.name);
            if taken.contains(&name) {
                refresh.invalid.insert(one.name.clone(), vec![format!("another tool of the server is called {name}")]);
                continue;
            }
            taken.push(name);
            match known.remove(&one.name) {
                Some(tool) => {
                    let (_, changed) = self.update_mcp_tool(&mut tx, actor, tool, one).await?;
                    if changed {
                        tracing::info!(server = %server.id, tool = one.name, "a tool changed on its MCP server");
                        refresh.updated.push(one.name.clone());
                    }
                }
                None if extent == Extent::All => {
                    let tool = self.fresh_mcp_tool(actor, server, one);
                    tools::insert(&mut tx, actor, &tool, self.env.now()).await?;
                    refresh.added.push(one.name.clone());
                }
                None => {}
            }
        }
        if extent == Extent::All {
            for (name, tool) in known {
                tools::delete(&mut tx, actor, &tool.id).await?;
                refresh.deleted.push(name);
            }
        }
        mcp::synced(&mut tx, actor, &server.id, listed, self.env.now()).await?;
        tx.commit().await?;
        refresh.message = format!(
            "{} tools added, {} updated, {} deleted",
            refresh.added.len(),
            refresh.updated.len(),
            refresh.deleted.len()
        );
        Ok(refresh)
    }

    /// Puts one tool of a server into the registry, or brings it up to date there.
    ///
    /// # Errors
    /// 400 for a tool that no model can be offered.
    pub(super) async fn take_mcp_tool(&self, actor: &Actor, server: &McpServer, listed: &McpTool) -> Result<Tool> {
        if !is_valid(listed) {
            let reasons = listed.health.as_ref().map(|health| health.reasons.join("; ")).unwrap_or_default();
            let name = &listed.name;
            return Err(CoreError::Invalid(format!("No model can be offered the tool {name}: {reasons}")));
        }
        let mut tx = self.store.write().await?;
        let mut known = self.known_mcp_tools(&mut tx, actor, &server.id).await?;
        let tool = match known.remove(&listed.name) {
            Some(tool) => self.update_mcp_tool(&mut tx, actor, tool, listed).await?.0,
            None => {
                let tool = self.fresh_mcp_tool(actor, server, listed);
                tools::insert(&mut tx, actor, &tool, self.env.now()).await?;
                tool
            }
        };
        tx.commit().await?;
        Ok(tool)
    }

    /// Lets the tools of a server bear its new name.
    pub(super) async fn rename_mcp_tools(&self, tx: &mut Conn, actor: &Actor, server: &McpServer) -> Result<()> {
        for (_, mut tool) in self.known_mcp_tools(tx, actor, &server.id).await? {
            if let Some(mut origin) = McpOrigin::of(tool.metadata_.as_ref()) {
                origin.server_name = server.name.clone();
                origin.put(&mut tool.metadata_);
            }
            tool.tags.retain(|tag| !tag.starts_with("mcp:"));
            tool.tags.insert(0, tag(&server.name));
            tools::update(tx, actor, &tool, self.env.now()).await?;
        }
        Ok(())
    }

    /// A new connection: looks whether the tools are still what they were, while the calls go on.
    pub(super) fn mcp_look_again(self: &Arc<Self>, actor: &Actor, server: &McpServer, connection: &Arc<Connection>) {
        let (core, actor, server) = (Arc::downgrade(self), actor.clone(), server.clone());
        let connection = Arc::downgrade(connection);
        tokio::spawn(async move {
            let Some(connection) = connection.upgrade() else { return };
            let listed = connection.tools().await;
            drop(connection);
            let Some(core) = core.upgrade() else { return };
            core.mcp_noticed(&actor, &server, listed).await;
        });
    }

    async fn mcp_noticed(&self, actor: &Actor, server: &McpServer, listed: Result<Vec<McpTool>, Trouble>) {
        let outcome = match listed {
            Ok(listed) => self.sync_mcp_tools(actor, server, &listed, Extent::Known).await.map(drop),
            Err(trouble) => {
                self.mcp_note_failure(actor, server, &trouble).await;
                Ok(())
            }
        };
        if let Err(error) = outcome {
            tracing::warn!(server = %server.id, %error, "what an MCP server lists could not be kept");
        }
    }

    /// A server says that its tools changed.
    pub(super) async fn mcp_changed(self: &Arc<Self>, actor: &Actor, id: &McpServerId) {
        let found = async {
            let mut conn = self.store.read().await?;
            mcp::without_tools(&mut conn, actor, id).await
        };
        match found.await {
            Ok(Some(server)) => {
                let listed = self.mcp_listed(actor, &server, super::pool::Urgency::Usual).await;
                self.mcp_noticed(actor, &server, listed).await;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(server = %id, %error, "an MCP server that changed could not be read"),
        }
    }

    /// Writes down why a server could not be used.
    pub(super) async fn mcp_note_failure(&self, actor: &Actor, server: &McpServer, trouble: &Trouble) {
        let kept = async {
            let mut tx = self.store.write().await?;
            mcp::failed(&mut tx, actor, &server.id, &trouble.text()).await?;
            tx.commit().await
        };
        if let Err(error) = kept.await {
            tracing::warn!(server = %server.id, %error, "an MCP server's failure could not be kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_such_that_models_can_call_them() {
        assert_eq!(call_name("get-sum_2"), "get-sum_2");
        assert_eq!(call_name("files/read.text é"), "files_read_text__");
        assert_eq!(call_name(""), "tool");
        assert_eq!(call_name(&"x".repeat(100)).len(), MAX_CALL_NAME);
    }
}
