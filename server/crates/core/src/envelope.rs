//! Stored messages as clients read them.

use mneme_domain::{
    content::{Content, ContentPart},
    envelope::{Body, Envelope, HiddenState, MessageType, ReasoningSource, ToolCallView, ToolReturnView},
    message::{Message, MessageRole, StoredToolCall, StoredToolReturn, ToolStatus},
    run::RequestConfig,
};
use serde_json::Value;

/// The envelopes of a message, in the order of its parts.
pub fn envelopes(message: &Message, config: &RequestConfig) -> Vec<Envelope> {
    let mut out = Envelopes { message, list: Vec::new() };
    match message.role {
        MessageRole::System => out.push(MessageType::SystemMessage, false, Body::System { content: message.text() }),
        MessageRole::User => {
            let content = Content::from_parts(&message.content);
            out.push(MessageType::UserMessage, false, Body::User { content });
        }
        MessageRole::Assistant => out.assistant(config),
        MessageRole::Tool | MessageRole::Function => out.tool(config),
        MessageRole::Approval => out.approval(),
    }
    out.list
}

/// The envelopes of some messages that the config asks for.
pub fn envelopes_of<'a>(messages: impl IntoIterator<Item = &'a Message>, config: &RequestConfig) -> Vec<Envelope> {
    let wanted = |envelope: &Envelope| wants(config, envelope.message_type);
    messages.into_iter().flat_map(|message| envelopes(message, config)).filter(wanted).collect()
}

/// Whether the config asks for a kind of message.
pub fn wants(config: &RequestConfig, kind: MessageType) -> bool {
    config.include_return_message_types.as_ref().is_none_or(|kinds| kinds.contains(&kind))
}

struct Envelopes<'a> {
    message: &'a Message,
    list: Vec<Envelope>,
}

impl Envelopes<'_> {
    fn push(&mut self, message_type: MessageType, indexed: bool, body: Body) {
        let message = self.message;
        let index = u8::try_from(self.list.len()).unwrap_or(u8::MAX);
        let otid = if indexed { Some(message.part_otid(index)) } else { message.otid.clone() };
        self.list.push(Envelope {
            id: message.id.clone(),
            date: message.created_at,
            name: message.name.clone(),
            message_type,
            otid,
            sender_id: message.sender_id.clone(),
            step_id: message.step_id.clone(),
            is_err: message.is_err,
            seq_id: None,
            run_id: message.run_id.clone(),
            body,
        });
    }

    fn assistant(&mut self, config: &RequestConfig) {
        for part in &self.message.content {
            match part {
                // What only the provider can read.
                ContentPart::Reasoning { is_native: true, reasoning, .. } if reasoning.is_empty() => {
                    let body = Body::HiddenReasoning { state: HiddenState::Omitted, hidden_reasoning: None };
                    self.push(MessageType::HiddenReasoningMessage, true, body);
                }
                ContentPart::Reasoning { is_native, reasoning, signature } => {
                    let source =
                        if *is_native { ReasoningSource::ReasonerModel } else { ReasoningSource::NonReasonerModel };
                    let body = Body::Reasoning { source, reasoning: reasoning.clone(), signature: signature.clone() };
                    self.push(MessageType::ReasoningMessage, true, body);
                }
                ContentPart::RedactedReasoning { data } => {
                    let body =
                        Body::HiddenReasoning { state: HiddenState::Redacted, hidden_reasoning: Some(data.clone()) };
                    self.push(MessageType::HiddenReasoningMessage, true, body);
                }
                ContentPart::OmittedReasoning { .. } => {
                    let body = Body::HiddenReasoning { state: HiddenState::Omitted, hidden_reasoning: None };
                    self.push(MessageType::HiddenReasoningMessage, true, body);
                }
                _ => {}
            }
        }
        let visible: Vec<ContentPart> = self
            .message
            .content
            .iter()
            .filter(|part| matches!(part, ContentPart::Text { .. } | ContentPart::Image { .. }))
            .cloned()
            .collect();
        if !visible.is_empty() {
            self.push(MessageType::AssistantMessage, true, Body::Assistant { content: Content::from_parts(&visible) });
        }
        let mut calls: Vec<ToolCallView> = Vec::new();
        for call in self.message.tool_calls.iter().flatten() {
            match assistant_text(call, config) {
                Some(text) => {
                    let body = Body::Assistant { content: Content::Text(text) };
                    self.push(MessageType::AssistantMessage, true, body);
                }
                None => calls.push(call_view(call)),
            }
        }
        if let Some(first) = calls.first().cloned() {
            let body = Body::ToolCall { tool_call: first, tool_calls: Some(calls) };
            self.push(MessageType::ToolCallMessage, true, body);
        }
    }

    fn tool(&mut self, config: &RequestConfig) {
        let message = self.message;
        // What went wrong is to be seen: the answer may not have been one.
        let failed =
            message.is_err == Some(true) || message.tool_returns.iter().any(|one| one.status == ToolStatus::Error);
        let hidden = config.use_assistant_message
            && !failed
            && message.name.as_deref() == Some(&config.assistant_message_tool_name);
        if hidden {
            return;
        }
        let mut returns: Vec<ToolReturnView> =
            message.tool_returns.iter().map(|one| return_view(one, message.tool_call_id.as_deref())).collect();
        if returns.is_empty() {
            returns.push(ToolReturnView {
                kind: "tool".into(),
                tool_return: message.text(),
                status: if message.is_err == Some(true) { ToolStatus::Error } else { ToolStatus::Success },
                tool_call_id: message.tool_call_id.clone().unwrap_or_default(),
                stdout: None,
                stderr: None,
            });
        }
        let first = returns[0].clone();
        let body = Body::ToolReturn {
            tool_return: first.tool_return,
            status: first.status,
            tool_call_id: first.tool_call_id,
            stdout: first.stdout,
            stderr: first.stderr,
            tool_returns: returns,
        };
        self.push(MessageType::ToolReturnMessage, true, body);
    }

    fn approval(&mut self) {
        let message = self.message;
        let calls: Vec<ToolCallView> = message.tool_calls.iter().flatten().map(call_view).collect();
        if let Some(first) = calls.first().cloned() {
            let body = Body::ApprovalRequest { tool_call: first, tool_calls: Some(calls) };
            self.push(MessageType::ApprovalRequestMessage, false, body);
        } else {
            let body = Body::ApprovalResponse {
                approvals: message.approvals.clone(),
                approve: message.approve,
                approval_request_id: message.approval_request_id.clone(),
                reason: message.denial_reason.clone(),
            };
            self.push(MessageType::ApprovalResponseMessage, false, body);
        }
    }
}

/// The answer inside a call of the answering tool, when it is to be shown as an assistant message.
fn assistant_text(call: &StoredToolCall, config: &RequestConfig) -> Option<String> {
    if !config.use_assistant_message || call.function.name != config.assistant_message_tool_name {
        return None;
    }
    let arguments: Value = serde_json::from_str(&call.function.arguments).ok()?;
    arguments.get(&config.assistant_message_tool_kwarg)?.as_str().map(str::to_owned)
}

/// A stored call as clients read it.
pub fn call_view(call: &StoredToolCall) -> ToolCallView {
    ToolCallView {
        name: Some(call.function.name.clone()),
        arguments: Some(call.function.arguments.clone()),
        tool_call_id: Some(call.id.clone()),
    }
}

fn return_view(stored: &StoredToolReturn, call_id: Option<&str>) -> ToolReturnView {
    ToolReturnView {
        kind: "tool".into(),
        tool_return: stored.func_response.clone().unwrap_or_default(),
        status: stored.status,
        tool_call_id: stored.tool_call_id.as_deref().or(call_id).unwrap_or_default().to_owned(),
        stdout: stored.stdout.clone(),
        stderr: stored.stderr.clone(),
    }
}
