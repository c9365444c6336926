//! Tries a server, and leads a person through its permission where it wants one.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, stream::BoxStream};
use mneme_domain::{
    Actor,
    mcp::{McpConfig, McpServer, McpTool},
};
use mneme_macros::boxed;
use mneme_store::mcp::grants::{self, GrantStatus};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    McpServerBody, failure::Trouble, oauth, pool::Urgency, resolve::resolve, servers::may_change, tools::Extent,
};
use crate::{Core, CoreError, Result};

/// Between two looks at whether the person has come back.
const LOOK: Duration = Duration::from_millis(400);

/// What is tried.
pub struct Trial {
    name: String,
    config: McpConfig,
    /// The server that is set up, when it is one.
    server: Option<McpServer>,
}

impl From<McpServerBody> for Trial {
    fn from(body: McpServerBody) -> Self {
        Self { name: body.server_name, config: body.config, server: None }
    }
}

impl From<McpServer> for Trial {
    fn from(server: McpServer) -> Self {
        Self { name: server.name.clone(), config: server.config.clone(), server: Some(server) }
    }
}

#[boxed]
impl Core {
    async fn mcp_tried(self: &Arc<Self>, actor: &Actor, trial: &Trial) -> Result<Vec<McpTool>, Trouble> {
        if let Some(server) = &trial.server {
            return self.mcp_listed(actor, server, Urgency::Now).await;
        }
        let resolved = resolve(&trial.config, None)?;
        self.mcp_open(actor, None, &trial.name, &resolved).await?.tools().await
    }

    /// Connects to a server that need not be set up, and asks for its tools. Nothing of it is kept.
    ///
    /// # Errors
    /// 400 and 408 when it cannot be asked, 403 for what may not be tried.
    pub async fn test_mcp_server(self: &Arc<Self>, actor: &Actor, body: McpServerBody) -> Result<Vec<McpTool>> {
        may_change(actor, Some(&body.config))?;
        let trial = Trial::from(body);
        let tried = self.mcp_tried(actor, &trial).await;
        tried.map_err(|trouble| CoreError::Mcp(trouble.failure(&trial.name)))
    }

    /// The same as a stream of events. Where the server wants a permission, the events lead a person to it: `redirect`
    /// is where their browser comes back.
    ///
    /// # Errors
    /// 403 for what may not be tried.
    pub fn connect_mcp_server(
        self: &Arc<Self>,
        actor: &Actor,
        trial: impl Into<Trial>,
        redirect: String,
    ) -> Result<BoxStream<'static, Value>> {
        let trial = trial.into();
        may_change(actor, Some(&trial.config))?;
        let (core, actor) = (self.clone(), actor.clone());
        let events = async_stream::stream! {
            let name = trial.name.clone();
            yield json!({"event": "connection_attempt", "server_name": name});
            let mut outcome = core.mcp_tried(&actor, &trial).await;
            if let Err(Trouble::Permission(challenge) | Trouble::Lapsed(challenge)) = &outcome
                && let McpConfig::Remote(remote) = &trial.config
            {
                yield json!({"event": "oauth_required", "server_name": name, "message": "OAuth authentication required"});
                let began = oauth::begin(&core, &actor, &name, &remote.server_url, &redirect, challenge.as_deref()).await;
                match began {
                    Err(trouble) => outcome = Err(trouble),
                    Ok(begun) => {
                        yield json!({"event": "authorization_url", "url": begun.url, "session_id": begun.session,
                            "server_name": name});
                        yield json!({"event": "waiting_for_auth", "session_id": begun.session, "server_name": name,
                            "message": "Waiting for OAuth authorization"});
                        outcome = match core.mcp_awaited(&actor, &name, &begun.session).await {
                            Ok(()) => {
                                if let Some(server) = &trial.server {
                                    core.mcp.pool.forget(&server.id);
                                }
                                core.mcp_tried(&actor, &trial).await
                            }
                            Err(trouble) => Err(trouble),
                        };
                    }
                }
            }
            match outcome {
                Ok(tools) => {
                    if let Some(server) = &trial.server
                        && let Err(error) = core.sync_mcp_tools(&actor, server, &tools, Extent::All).await
                    {
                        tracing::warn!(server = %server.id, %error, "an MCP server's tools could not be kept");
                    }
                    yield json!({"event": "success", "tools": tools});
                }
                Err(trouble) => {
                    let failure = trouble.failure(&name);
                    yield json!({"event": "error", "message": failure.message, "code": failure.code,
                        "server_name": name});
                }
            }
        };
        Ok(events.boxed())
    }

    /// Waits until the person has given or refused the permission, wherever their browser came back.
    async fn mcp_awaited(&self, actor: &Actor, name: &str, session: &str) -> Result<(), Trouble> {
        let limit = self.mcp.settings.permission;
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
            let found = async {
                let mut conn = self.store.read().await?;
                grants::by_name(&mut conn, actor, name).await
            };
            match found.await {
                Ok(Some(grant)) if grant.id == session => match grant.status {
                    GrantStatus::Pending => {}
                    GrantStatus::Granted => return Ok(()),
                    GrantStatus::Failed => {
                        let reason = grant.error.unwrap_or_else(|| "no reason given".into());
                        return Err(Trouble::Wrong(format!("the authorization failed: {reason}")));
                    }
                },
                Ok(_) => return Err(Trouble::Wrong("the authorization was begun anew elsewhere".into())),
                Err(error) => tracing::warn!(%error, "an authorization under way could not be read"),
            }
        }
        Err(Trouble::Timeout("authorization", limit))
    }
}
