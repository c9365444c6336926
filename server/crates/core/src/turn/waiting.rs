//! Agents that wait for approval, seen from outside a turn: refused messages and the wait's end by a cancellation.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, MessageId, RunId,
    agent::{Agent, AgentState},
    envelope::MessageType,
    message::{Message, MessageRole},
    request::{ApprovalCreate, SendRequest},
    run::RequestConfig,
};
use mneme_store::{Conn, StoreError, agents, messages, runs};

use super::{approval, input, tools::refusal};
use crate::{Core, CoreError, Result, envelope};

/// What the model reads of calls whose turn was cancelled while they waited.
const CANCELLED: &str = "The user cancelled";

impl Core {
    /// Refuses a message to an agent that waits, before anything is recorded for it.
    ///
    /// # Errors
    /// 409 with the request that waits.
    pub(super) async fn refuse_if_waiting(&self, actor: &Actor, agent: &Agent, request: &SendRequest) -> Result<()> {
        if request.messages.iter().flatten().any(input::is_approval) {
            return Ok(());
        }
        match self.waiting(actor, agent).await? {
            Some(asked) => Err(approval::conflict(&asked.id)),
            None => Ok(()),
        }
    }

    /// The request that an agent waits for.
    async fn waiting(&self, actor: &Actor, agent: &Agent) -> Result<Option<Message>> {
        if let Some(context) = self.contexts.get(&agent.id, agent.version) {
            return Ok(approval::pending(&context.messages).cloned());
        }
        let Some(newest) = agent.message_ids.last() else { return Ok(None) };
        let mut conn = self.store.read().await?;
        Ok(messages::get(&mut conn, actor, newest).await?.filter(approval::asks))
    }

    /// Has agents tell which request for approval they wait for, if they do.
    pub(crate) async fn tell_pending(&self, conn: &mut Conn, actor: &Actor, agents: &mut [AgentState]) -> Result<()> {
        let newest: Vec<MessageId> = agents.iter().filter_map(|agent| agent.message_ids.last().cloned()).collect();
        let found = messages::get_many(conn, actor, &newest).await?;
        for agent in agents {
            let asked = found.iter().find(|message| message.agent_id == agent.id && approval::asks(message));
            agent.pending_approval = asked.and_then(|message| {
                let mut shown = envelope::envelopes(message, &RequestConfig::default()).into_iter();
                shown.find(|part| part.message_type == MessageType::ApprovalRequestMessage)
            });
        }
        Ok(())
    }

    /// Ends an agent's wait as if all calls were denied, without asking the model. Of named runs only the one that waits
    /// counts. Returns the run that waited; `None` when none did, or the agent is at work.
    pub(super) async fn stop_waiting(
        self: &Arc<Self>,
        actor: &Actor,
        id: &AgentId,
        named: Option<&[RunId]>,
    ) -> Result<Option<RunId>> {
        let Some(_turn) = self.locks.try_lock(id) else { return Ok(None) };
        let agent = {
            let mut conn = self.store.read().await?;
            agents::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?
        };
        let Some(asked) = self.waiting(actor, &agent).await? else { return Ok(None) };
        let Some(run) = asked.run_id.clone().filter(|run| named.is_none_or(|named| named.contains(run))) else {
            return Ok(None);
        };
        let mut tx = self.store.write().await?;
        // Another server may have begun to answer.
        let filter = runs::RunFilter { agent_ids: vec![id.clone()], active: true, ..runs::RunFilter::default() };
        if !runs::list(&mut tx, actor, &filter, &mneme_domain::Page::all()).await?.is_empty() {
            return Ok(None);
        }
        let [answer, returned] = self.denial(&asked, &run);
        let mut context = agent.message_ids;
        context.extend([answer.id.clone(), returned.id.clone()]);
        messages::append(&mut tx, actor, &[answer, returned]).await?;
        let now = self.env.now();
        match agents::touch_context(&mut tx, actor, id, &context, agent.version, None, None, now).await {
            Err(StoreError::Stale) => return Ok(None),
            touched => touched?,
        };
        tx.commit().await?;
        self.contexts.forget(id);
        Ok(Some(run))
    }

    /// The messages of an answer that denies all calls.
    fn denial(&self, asked: &Message, run: &RunId) -> [Message; 2] {
        let new = |role| {
            let id = MessageId::from_uuid(self.env.uuid());
            let mut message = Message::new(id, asked.agent_id.clone(), role, self.env.now());
            message.run_id = Some(run.clone());
            message
        };
        let mut answer = new(MessageRole::Approval);
        let verdict = ApprovalCreate {
            kind: "approval".into(),
            approvals: None,
            approve: Some(false),
            approval_request_id: Some(asked.id.to_string()),
            reason: Some(CANCELLED.into()),
        };
        approval::record(&mut answer, asked, &verdict);
        let mut returned = new(MessageRole::Tool);
        returned.step_id.clone_from(&asked.step_id);
        let text = format!("{} Reason: {CANCELLED}", super::rules::DENIED);
        let calls = asked.tool_calls.iter().flatten();
        returned.tool_returns = calls.map(|call| refusal(call, text.clone())).collect();
        returned.tool_call_id = returned.tool_returns.first().and_then(|first| first.tool_call_id.clone());
        [answer, returned]
    }
}
