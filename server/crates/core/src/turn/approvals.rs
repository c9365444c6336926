//! Calls that a person decides about: the request that an agent waits with, and the answers to it.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, EntityId, MessageId, RunId, Timestamp,
    agent::Agent,
    message::{Message, MessageRole, StoredToolCall, StoredToolReturn, ToolStatus},
    request::{ApprovalCreate, Verdict},
};
use mneme_store::{Conn, agents, messages};
use serde_json::{Value, json};

use crate::{Core, CoreError, Result};

/// Whether a message is a request that waits for an answer, when it is the last of its agent.
pub fn is_request(message: &Message) -> bool {
    message.role == MessageRole::Approval && message.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty())
}

/// Whether what came in fits an agent's state.
///
/// # Errors
/// 409 for other messages than an answer while a request waits, 400 for an answer that answers nothing.
pub fn check(waiting: Option<&Message>, answer: Option<&ApprovalCreate>) -> Result<()> {
    match (waiting, answer) {
        (None, None) => Ok(()),
        (Some(request), Some(answer)) => verdicts(request, answer).map(drop),
        (None, Some(_)) => Err(CoreError::Invalid(
            "Cannot process approval response: No tool call is currently awaiting approval.".into(),
        )),
        (Some(request), None) => Err(CoreError::ConflictDetail(json!({
            "code": "PENDING_APPROVAL",
            "message": "CONFLICT: Cannot send a new message: The agent is waiting for approval on a tool call. \
                Please approve or deny the pending request before continuing.",
            "pending_request_id": request.id,
        }))),
    }
}

/// A verdict for each call of a request, in their order.
///
/// # Errors
/// 400 unless each call gets exactly one.
pub fn verdicts(request: &Message, answer: &ApprovalCreate) -> Result<Vec<Verdict>> {
    let calls: Vec<&str> = request.tool_calls.iter().flatten().map(|call| call.id.as_str()).collect();
    let wrong = |given: &[&str]| {
        let quoted = |ids: &[&str]| ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
        let (expected, given) = (quoted(&calls), quoted(given));
        CoreError::Invalid(format!("Invalid tool call IDs. Expected '[{expected}]', but received '[{given}]'."))
    };
    let listed = answer.approvals.as_deref().unwrap_or_default();
    if !listed.is_empty() {
        let given: Vec<&str> = listed.iter().map(Verdict::call).collect();
        if given.len() != calls.len() {
            return Err(wrong(&given));
        }
        let of_call = |call: &&str| listed.iter().find(|verdict| verdict.call() == *call).cloned();
        return calls.iter().map(of_call).collect::<Option<_>>().ok_or_else(|| wrong(&given));
    }
    let Some(approve) = answer.approve else {
        return Err(CoreError::Invalid("An approval needs `approvals`, or `approve` for all calls at once".into()));
    };
    if let Some(id) = answer.approval_request_id.as_deref()
        && id != request.id.as_str()
        && !calls.contains(&id)
    {
        return Err(wrong(&[id]));
    }
    let verdict =
        |id: &&str| Verdict::Approval { tool_call_id: (*id).to_owned(), approve, reason: answer.reason.clone() };
    Ok(calls.iter().map(verdict).collect())
}

/// What the model reads of a call that a person denied.
pub fn denial(reason: Option<&str>) -> String {
    match reason.map(str::trim).filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("Error: the call was denied by a person. Their reason: {reason}"),
        None => "Error: the call was denied by a person, who gave no reason.".to_owned(),
    }
}

/// What a client's own tool gave back, as it is stored.
pub fn client_return(call: &StoredToolCall, verdict: &Verdict) -> Option<StoredToolReturn> {
    let Verdict::Tool { tool_return, status, stdout, stderr, .. } = verdict else { return None };
    Some(StoredToolReturn {
        tool_call_id: Some(call.id.clone()),
        status: *status,
        stdout: stdout.clone(),
        stderr: stderr.clone(),
        func_response: Some(words(tool_return)),
    })
}

/// The text of a returned value: a string as it is, parts one after the other, anything else as JSON.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let text = |part: &Value| match part.get("text").and_then(Value::as_str) {
                Some(text) => text.to_owned(),
                None if part.get("type").and_then(Value::as_str) == Some("image") => "[image]".to_owned(),
                None => words(part),
            };
            parts.iter().map(text).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

/// The answer as it enters the history.
pub fn response(
    id: MessageId,
    now: Timestamp,
    run: &RunId,
    request: &Message,
    answer: &ApprovalCreate,
    verdicts: &[Verdict],
) -> Message {
    let mut message = Message::new(id, request.agent_id.clone(), MessageRole::Approval, now);
    message.run_id = Some(run.clone());
    message.otid.clone_from(&answer.otid);
    message.group_id.clone_from(&answer.group_id);
    message.approval_request_id = Some(request.id.to_string());
    message.approve = match verdicts {
        [Verdict::Approval { approve, .. }] => Some(*approve),
        _ => answer.approve,
    };
    message.denial_reason = match verdicts {
        [Verdict::Approval { approve: false, reason, .. }] => reason.clone(),
        _ => answer.reason.clone(),
    };
    message.approvals = Some(verdicts.iter().filter_map(|verdict| serde_json::to_value(verdict).ok()).collect());
    message
}

impl Core {
    /// The request that an agent waits with.
    pub(crate) async fn waiting(&self, conn: &mut Conn, actor: &Actor, agent: &Agent) -> Result<Option<Arc<Message>>> {
        if let Some(context) = self.contexts.get(&agent.id, agent.version) {
            return Ok(context.messages.last().filter(|message| is_request(message)).cloned());
        }
        let Some(last) = agent.message_ids.last() else { return Ok(None) };
        Ok(messages::get(conn, actor, last).await?.filter(is_request).map(Arc::new))
    }

    /// Takes back the request that an agent waits with, when there is one and its run is among the named: its calls come
    /// to nothing, and the agent takes messages again. The request's run comes back.
    pub(super) async fn withdraw(&self, actor: &Actor, id: &AgentId, named: Option<&[RunId]>) -> Result<Option<RunId>> {
        let _turn = self.locks.lock(id).await;
        let mut tx = self.store.write().await?;
        let Some(agent) = agents::get(&mut tx, actor, id).await? else { return Ok(None) };
        let Some(request) = self.waiting(&mut tx, actor, &agent).await? else { return Ok(None) };
        let Some(run) = request.run_id.clone() else { return Ok(None) };
        if named.is_some_and(|named| !named.contains(&run)) {
            return Ok(None);
        }
        let now = self.env.now();
        let mut closing = Message::new(MessageId::from_uuid(self.env.uuid()), id.clone(), MessageRole::Tool, now);
        closing.step_id.clone_from(&request.step_id);
        closing.run_id = Some(run.clone());
        let calls = request.tool_calls.iter().flatten();
        closing.tool_returns = calls
            .map(|call| StoredToolReturn {
                tool_call_id: Some(call.id.clone()),
                status: ToolStatus::Error,
                stdout: None,
                stderr: None,
                func_response: Some("The request for approval was cancelled, so the tool did not run.".to_owned()),
            })
            .collect();
        closing.tool_call_id = closing.tool_returns.first().and_then(|one| one.tool_call_id.clone());
        messages::append(&mut tx, actor, std::slice::from_ref(&closing)).await?;
        let mut ids = agent.message_ids.clone();
        ids.push(closing.id.clone());
        agents::touch_context(&mut tx, actor, id, &ids, agent.version, None, None, now).await?;
        tx.commit().await?;
        self.contexts.forget(id);
        Ok(Some(run))
    }
}
