//! One message to several agents, and what each of them says.

use std::sync::Arc;

use futures::{StreamExt, stream};
use mneme_domain::{
    Actor, AgentId,
    content::text_of,
    envelope::{Body, Envelope},
    request::SendRequest,
};
use mneme_macros::boxed;
use mneme_store::agents;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{Core, CoreError, Result};

/// Agents that are told at most.
const MOST: usize = 50;
/// Agents that work at once.
const AT_ONCE: usize = 8;

/// A message to several agents.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct Broadcast {
    /// Whom to tell; at most 50.
    #[schema(value_type = Vec<String>)]
    pub agent_ids: Vec<AgentId>,
    /// What to tell them.
    pub message: String,
    /// The agent that says it.
    #[serde(default)]
    pub sender_id: Option<String>,
}

/// What one agent answered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Reply {
    /// Who answers.
    #[schema(value_type = String)]
    pub agent_id: AgentId,
    pub agent_name: Option<String>,
    /// What it said; null when it failed.
    pub response: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

#[boxed]
impl Core {
    /// Tells agents something and waits for what each of them says, in the order of the request. They work at the same
    /// time.
    ///
    /// # Errors
    /// 422 for too many agents or no words; an agent that fails is a reply.
    pub async fn broadcast(self: &Arc<Self>, actor: &Actor, body: Broadcast) -> Result<Vec<Reply>> {
        if body.agent_ids.len() > MOST {
            return Err(CoreError::field("agent_ids", format!("at most {MOST} agents are told at once")));
        }
        if body.message.trim().is_empty() {
            return Err(CoreError::field("message", "there is nothing to tell"));
        }
        let text = match &body.sender_id {
            Some(sender) => {
                format!(
                    "[From the agent {sender}, which waits for your reply. What you answer goes to it.]\n\n{}",
                    body.message
                )
            }
            None => body.message.clone(),
        };
        let told = stream::iter(body.agent_ids.clone()).map(|agent| {
            let (core, actor, sender, text) = (Arc::clone(self), actor.clone(), body.sender_id.clone(), text.clone());
            async move { core.broadcast_to(&actor, agent, text, sender).await }
        });
        Ok(told.buffered(AT_ONCE).collect().await)
    }

    async fn broadcast_to(
        self: &Arc<Self>,
        actor: &Actor,
        agent: AgentId,
        text: String,
        sender: Option<String>,
    ) -> Reply {
        let request = message(json!([{"role": "user", "content": text, "sender_id": sender}]));
        let name = async {
            let mut conn = self.store.read().await?;
            agents::get(&mut conn, actor, &agent).await
        };
        let agent_name = name.await.ok().flatten().map(|agent| agent.name);
        let answered = match request {
            Ok(request) => self.send(actor, &agent, request).await,
            Err(error) => Err(error),
        };
        match answered {
            Ok(turn) => {
                let said = words(&turn.messages);
                let said = if said.is_empty() { "(It said nothing.)".to_owned() } else { said };
                Reply { agent_id: agent, agent_name, response: Some(said), error: None }
            }
            Err(error) => {
                let reason = match error {
                    CoreError::Internal(text) => {
                        tracing::error!(%agent, error = %text, "an agent could not be asked");
                        "an internal server error occurred".to_owned()
                    }
                    other => other.to_string(),
                };
                Reply { agent_id: agent, agent_name, response: None, error: Some(reason) }
            }
        }
    }
}

/// A request with these messages.
pub(super) fn message(messages: serde_json::Value) -> Result<SendRequest> {
    serde_json::from_value(json!({ "messages": messages })).map_err(|error| CoreError::Internal(error.to_string()))
}

/// The words that an agent said in a turn.
pub(super) fn words(messages: &[Envelope]) -> String {
    let said = messages.iter().filter_map(|envelope| match &envelope.body {
        Body::Assistant { content } => Some(text_of(&content.clone().into_parts())),
        _ => None,
    });
    said.filter(|text| !text.trim().is_empty()).collect::<Vec<_>>().join("\n")
}
