//! The row of a message.

use mneme_domain::{
    AgentId, MessageId, RunId, StepId,
    clock::from_micros,
    message::{Message, MessageRole},
};

use crate::{Result, json, sql::Arg};

/// The columns that [`MessageRow`] reads, of `messages m`.
macro_rules! columns {
    () => {
        "m.id, m.agent_id, m.role, m.content, m.model, m.name, m.tool_calls, m.tool_call_id, m.tool_returns, \
         m.step_id, m.run_id, m.otid, m.group_id, m.sender_id, m.batch_item_id, m.is_err, m.approval_request_id, \
         m.approve, m.denial_reason, m.approvals, m.created_at, m.updated_at, m.created_by_id, m.last_updated_by_id"
    };
}
pub(crate) use columns;

/// The columns that [`values`] fills, after the organisation.
pub(super) const VALUES: &str = "org_id, id, agent_id, role, text, content, model, name, tool_calls, tool_call_id, \
    tool_returns, step_id, run_id, otid, group_id, sender_id, batch_item_id, is_err, approval_request_id, approve, \
    denial_reason, approvals, created_at, updated_at, created_by_id, last_updated_by_id";

/// A message's values in the order of [`VALUES`]; `text` is what it says, by which a search finds it.
pub(super) fn values<'a>(message: &'a Message, text: &'a str) -> Result<Vec<Arg<'a>>> {
    Ok(vec![
        (&message.id).into(),
        (&message.agent_id).into(),
        message.role.as_str().into(),
        text.into(),
        json::text(&message.content)?.into(),
        (&message.model).into(),
        (&message.name).into(),
        json::optional_text(message.tool_calls.as_ref())?.into(),
        (&message.tool_call_id).into(),
        json::text(&message.tool_returns)?.into(),
        (&message.step_id).into(),
        (&message.run_id).into(),
        (&message.otid).into(),
        (&message.group_id).into(),
        (&message.sender_id).into(),
        (&message.batch_item_id).into(),
        message.is_err.into(),
        (&message.approval_request_id).into(),
        message.approve.into(),
        (&message.denial_reason).into(),
        json::optional_text(message.approvals.as_ref())?.into(),
        message.created_at.into(),
        message.updated_at.into(),
        (&message.created_by_id).into(),
        (&message.last_updated_by_id).into(),
    ])
}

#[derive(mneme_macros::FromRow)]
pub(crate) struct MessageRow {
    id: String,
    agent_id: String,
    role: String,
    content: String,
    model: Option<String>,
    name: Option<String>,
    tool_calls: Option<String>,
    tool_call_id: Option<String>,
    tool_returns: String,
    step_id: Option<String>,
    run_id: Option<String>,
    otid: Option<String>,
    group_id: Option<String>,
    sender_id: Option<String>,
    batch_item_id: Option<String>,
    is_err: Option<bool>,
    approval_request_id: Option<String>,
    approve: Option<bool>,
    denial_reason: Option<String>,
    approvals: Option<String>,
    created_at: i64,
    updated_at: Option<i64>,
    created_by_id: Option<String>,
    last_updated_by_id: Option<String>,
}

impl TryFrom<MessageRow> for Message {
    type Error = crate::StoreError;

    fn try_from(row: MessageRow) -> Result<Self> {
        Ok(Self {
            created_by_id: row.created_by_id,
            last_updated_by_id: row.last_updated_by_id,
            created_at: from_micros(row.created_at),
            updated_at: row.updated_at.map(from_micros),
            id: MessageId::trusted(row.id),
            agent_id: AgentId::trusted(row.agent_id),
            model: row.model,
            role: json::named("messages.role", &row.role, MessageRole::from_name)?,
            content: json::value("messages.content", &row.content)?,
            name: row.name,
            tool_calls: json::optional_value("messages.tool_calls", row.tool_calls.as_deref())?,
            tool_call_id: row.tool_call_id,
            step_id: row.step_id.map(StepId::trusted),
            run_id: row.run_id.map(RunId::trusted),
            otid: row.otid,
            tool_returns: json::value("messages.tool_returns", &row.tool_returns)?,
            group_id: row.group_id,
            sender_id: row.sender_id,
            batch_item_id: row.batch_item_id,
            is_err: row.is_err,
            approval_request_id: row.approval_request_id,
            approve: row.approve,
            denial_reason: row.denial_reason,
            approvals: json::optional_value("messages.approvals", row.approvals.as_deref())?,
        })
    }
}
