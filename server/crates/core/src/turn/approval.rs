//! Requests for approval and the answers to them.
//!
//! The newest message of an agent's context decides: when it asks for approval, the agent waits. So a wait is as durable
//! as the step that began it, and ends with whatever takes that message's place.

use std::borrow::Borrow;

use mneme_domain::{
    EntityId, MessageId, RunId,
    content::ContentPart,
    envelope::MessageType,
    message::{Message, MessageRole, StoredToolReturn, ToolStatus},
    request::ApprovalCreate,
};
use serde_json::{Value, json};

use super::rules::DENIED;
use crate::{CoreError, Result};

/// Calls that wait while a step is made, and how they are shown.
pub struct Guard {
    /// The message that will ask, so far without its calls.
    pub message: Message,
    /// Tools whose calls wait.
    pub names: Vec<String>,
    /// Tools whose calls a token stream shows only when they are whole: rules fill in their arguments.
    pub unseen: Vec<String>,
}

impl Guard {
    /// How the pieces of a call are shown; not at all for `None`.
    pub fn kind(&self, name: &str) -> Option<MessageType> {
        let is = |names: &[String]| names.iter().any(|other| other == name);
        match (is(&self.unseen), is(&self.names)) {
            (true, _) => None,
            (_, true) => Some(MessageType::ApprovalRequestMessage),
            _ => Some(MessageType::ToolCallMessage),
        }
    }
}

/// What is decided about one call.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It runs.
    Approved,
    /// It does not run; the model reads this.
    Denied(String),
    /// The client ran it.
    Returned(StoredToolReturn),
}

/// Whether a message asks for approval.
pub fn asks(message: &Message) -> bool {
    message.role == MessageRole::Approval && message.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty())
}

/// The request that an agent with this context waits for.
pub fn pending<M: Borrow<Message>>(context: &[M]) -> Option<&Message> {
    context.last().map(Borrow::borrow).filter(|message| asks(message))
}

/// What a message gets that comes while the agent waits.
pub fn conflict(request: &MessageId) -> CoreError {
    CoreError::ConflictDetail(json!({
        "code": "PENDING_APPROVAL",
        "message": "CONFLICT: Cannot send a new message: the agent is waiting for approval on a tool call. Approve or \
                    deny the pending request first.",
        "pending_request_id": request,
    }))
}

/// What an approval gets that nothing waits for.
pub fn nothing_waits() -> CoreError {
    CoreError::Invalid("Cannot process approval response: No tool call is currently awaiting approval.".into())
}

/// The verdict on each call of a request, in the order of the calls.
///
/// # Errors
/// 400 unless the answer names each call exactly once.
pub fn verdicts(request: &Message, answer: &ApprovalCreate) -> Result<Vec<Verdict>> {
    let expected: Vec<&str> = request.tool_calls.iter().flatten().map(|call| call.id.as_str()).collect();
    let mismatch = |received: Vec<&str>| {
        CoreError::Invalid(format!("Invalid tool call IDs. Expected '{expected:?}', but received '{received:?}'."))
    };
    let Some(list) = answer.approvals.as_ref().filter(|list| !list.is_empty()) else {
        let named = answer.approval_request_id.as_deref().unwrap_or_default();
        if named != request.id.as_str() && expected != [named] {
            return Err(mismatch(vec![named]));
        }
        return match answer.approve {
            Some(approve) => Ok(vec![judged(approve, answer.reason.as_deref()); expected.len()]),
            None => Err(CoreError::Invalid("An approval has to say whether it approves: `approve`".into())),
        };
    };
    let entries: Vec<(&str, Verdict)> = list.iter().map(entry).collect::<Result<_>>()?;
    let received: Vec<&str> = entries.iter().map(|(id, _)| *id).collect();
    let verdict_of = |id: &&str| {
        let mut found = entries.iter().filter(|(other, _)| other == id);
        match (found.next(), found.next()) {
            (Some((_, verdict)), None) => Some(verdict.clone()),
            _ => None,
        }
    };
    // Some servers give several calls one id; then the order tells them apart.
    let repeated = expected.iter().any(|id| expected.iter().filter(|other| *other == id).count() > 1);
    if repeated && received == expected {
        return Ok(entries.into_iter().map(|(_, verdict)| verdict).collect());
    }
    let all: Option<Vec<Verdict>> = expected.iter().map(verdict_of).collect();
    all.filter(|all| all.len() == received.len()).ok_or_else(|| mismatch(received))
}

fn judged(approve: bool, reason: Option<&str>) -> Verdict {
    match reason.filter(|reason| !reason.trim().is_empty()) {
        _ if approve => Verdict::Approved,
        Some(reason) => Verdict::Denied(format!("{DENIED} Reason: {reason}")),
        None => Verdict::Denied(DENIED.to_owned()),
    }
}

fn entry(value: &Value) -> Result<(&str, Verdict)> {
    let wrong = |what: &str| CoreError::Invalid(format!("Invalid approval: {what}"));
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let id = text("tool_call_id").ok_or_else(|| wrong("`tool_call_id` is missing"))?;
    let verdict = match text("type") {
        None | Some("approval") => {
            let approve = value
                .get("approve")
                .and_then(Value::as_bool)
                .ok_or_else(|| wrong("`approve` has to be true or false"))?;
            judged(approve, text("reason"))
        }
        Some("tool") => {
            let status = match text("status") {
                Some("error") => ToolStatus::Error,
                None | Some("success") => ToolStatus::Success,
                Some(_) => return Err(wrong("`status` has to be success or error")),
            };
            let lines = |name: &str| -> Option<Vec<String>> {
                let lines = value.get(name)?.as_array()?;
                Some(lines.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            };
            let returned = value.get("tool_return").ok_or_else(|| wrong("`tool_return` is missing"))?;
            Verdict::Returned(StoredToolReturn {
                tool_call_id: Some(id.to_owned()),
                status,
                stdout: lines("stdout"),
                stderr: lines("stderr"),
                func_response: Some(words(returned)),
            })
        }
        Some(_) => return Err(wrong("`type` has to be approval or tool")),
    };
    Ok((id, verdict))
}

/// A client's return as the model reads it: text, the text of content parts, or JSON.
fn words(value: &Value) -> String {
    if let Value::String(text) = value {
        return text.clone();
    }
    match serde_json::from_value::<Vec<ContentPart>>(value.clone()) {
        Ok(parts) => mneme_domain::content::text_of(&parts),
        Err(_) => value.to_string(),
    }
}

/// Writes an answer into the message that records it.
pub fn record(message: &mut Message, request: &Message, answer: &ApprovalCreate) {
    message.approval_request_id = Some(request.id.to_string());
    message.denial_reason.clone_from(&answer.reason);
    message.approve = answer.approve;
    let listed = answer.approvals.clone().filter(|list| !list.is_empty());
    message.approvals = Some(listed.unwrap_or_else(|| {
        let calls = request.tool_calls.iter().flatten();
        calls
            .map(|call| {
                let reason = &answer.reason;
                json!({"type": "approval", "tool_call_id": call.id, "approve": answer.approve, "reason": reason})
            })
            .collect()
    }));
}

/// What became of an answer before, as the context shows.
#[derive(Debug, PartialEq, Eq)]
pub enum Earlier {
    /// This very run took it, and was cut off.
    Taken,
    /// Another run did.
    By(RunId),
}

/// Whether an answer was given before: by this run, or word for word in another one that is in view.
pub fn earlier<M: Borrow<Message>>(context: &[M], run: &RunId, answer: &ApprovalCreate) -> Option<Earlier> {
    let mut answers = context.iter().rev().map(Borrow::borrow).filter(|message: &&Message| {
        message.role == MessageRole::Approval && message.approval_request_id.is_some() && !asks(message)
    });
    answers.find_map(|message: &Message| {
        let by = message.run_id.as_ref()?;
        if by == run {
            return Some(Earlier::Taken);
        }
        let request = context
            .iter()
            .map(Borrow::borrow)
            .find(|request: &&Message| Some(request.id.as_str()) == message.approval_request_id.as_deref())?;
        let mut given = message.clone();
        record(&mut given, request, answer);
        let same = verdicts(request, answer).is_ok() && given.approvals == message.approvals;
        same.then(|| Earlier::By(by.clone()))
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use mneme_domain::{AgentId, message::StoredToolCall};
    use uuid::Uuid;

    use super::*;

    fn request(ids: &[&str]) -> Message {
        let id = MessageId::from_uuid(Uuid::from_u128(7));
        let agent = AgentId::from_uuid(Uuid::from_u128(1));
        let mut message = Message::new(id, agent, MessageRole::Approval, DateTime::UNIX_EPOCH);
        message.tool_calls = Some(ids.iter().map(|id| StoredToolCall::new(*id, "t", "{}")).collect());
        message
    }

    fn decided(ids: &[&str], answer: Value) -> std::result::Result<Vec<Verdict>, String> {
        let request = request(ids);
        let mut answer = answer;
        answer["type"] = "approval".into();
        if answer["approval_request_id"] == "it" {
            answer["approval_request_id"] = request.id.to_string().into();
        }
        verdicts(&request, &serde_json::from_value(answer).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn both_forms_decide_each_call() {
        let denied = |reason: &str| Verdict::Denied(format!("Error: request denied. Reason: {reason}"));
        for (answer, verdicts) in [
            (json!({"approve": true, "approval_request_id": "it"}), vec![Verdict::Approved, Verdict::Approved]),
            (json!({"approve": false, "approval_request_id": "it", "reason": "no"}), vec![denied("no"), denied("no")]),
            (
                json!({"approvals": [{"tool_call_id": "y", "approve": false, "reason": "later"},
                    {"type": "approval", "tool_call_id": "x", "approve": true}]}),
                vec![Verdict::Approved, denied("later")],
            ),
        ] {
            assert_eq!(decided(&["x", "y"], answer.clone()).unwrap(), verdicts, "{answer}");
        }
        let returned = decided(
            &["x"],
            json!({"approvals": [{"type": "tool", "tool_call_id": "x", "status": "error",
                "tool_return": [{"type": "text", "text": "disk full"}], "stderr": ["df"]}]}),
        );
        let [Verdict::Returned(returned)] = &returned.unwrap()[..] else { panic!("no return") };
        assert_eq!((returned.status, returned.func_response.as_deref()), (ToolStatus::Error, Some("disk full")));
        assert_eq!(returned.stderr.as_deref(), Some(&["df".to_owned()][..]));
    }

    #[test]
    fn an_answer_that_does_not_fit_is_refused() {
        for (answer, hint) in [
            (json!({"approve": true}), "Expected"),
            (json!({"approve": true, "approval_request_id": "message-other"}), "message-other"),
            (json!({"approval_request_id": "it"}), "`approve`"),
            (json!({"approvals": [{"tool_call_id": "x", "approve": true}]}), "Expected '[\"x\", \"y\"]'"),
            (
                json!({"approvals": [{"tool_call_id": "x", "approve": true}, {"tool_call_id": "x", "approve": true}]}),
                "Expected",
            ),
            (
                json!({"approvals": [{"tool_call_id": "x", "approve": true}, {"tool_call_id": "y", "approve": true},
                {"tool_call_id": "z", "approve": true}]}),
                "Expected",
            ),
            (json!({"approvals": [{"approve": true}]}), "tool_call_id"),
            (json!({"approvals": [{"tool_call_id": "x"}]}), "approve"),
            (json!({"approvals": [{"type": "tool", "tool_call_id": "x"}]}), "tool_return"),
        ] {
            let error = decided(&["x", "y"], answer.clone()).unwrap_err();
            assert!(error.contains(hint), "{answer}: {error}");
        }
    }
}
