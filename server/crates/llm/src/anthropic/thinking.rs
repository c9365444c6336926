//! Whether and how much a Claude model may think.

use serde_json::{Value, json};

use crate::{
    models,
    request::{ChatMessage, ChatRequest, Reasoning, ToolChoice},
};

/// The smallest budget Anthropic accepts, in tokens.
const MIN_BUDGET: u32 = 1024;

/// The `thinking` parameter, when the request wants thinking and every rule of Anthropic's allows it.
pub(crate) fn parameter(request: &ChatRequest, max_tokens: u32) -> Option<Value> {
    let forced =
        !request.tools.is_empty() && matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Named(_));
    if !request.params.enable_reasoner
        || forced
        || !models::reasons(&request.model)
        || !loop_is_signed(&request.messages)
    {
        return None;
    }
    if is_adaptive(&request.model) {
        return Some(json!({"type": "adaptive", "display": "summarized"}));
    }
    // The budget is a part of the token limit and has to be smaller.
    let wanted = match request.params.max_reasoning_tokens {
        0 => effort_budget(request.params.reasoning_effort.as_deref()),
        budget => budget,
    };
    let budget = wanted.max(MIN_BUDGET).min(max_tokens.saturating_sub(1));
    (budget >= MIN_BUDGET).then(|| json!({"type": "enabled", "budget_tokens": budget}))
}

/// The budget that stands for an effort, in tokens.
fn effort_budget(effort: Option<&str>) -> u32 {
    match effort {
        Some("medium") => 4096,
        Some("high") => 12_288,
        Some("xhigh" | "max") => 24_576,
        _ => MIN_BUDGET,
    }
}

/// Whether the model decides itself how much to think: from Claude 4.7 on. These models refuse a budget, and a
/// temperature too.
pub(crate) fn is_adaptive(model: &str) -> bool {
    models::claude_version(model).is_some_and(|version| version >= (4, 7))
}

/// Whether every tool-calling message since the last user message begins with a block Anthropic can verify. It refuses
/// to think on otherwise, as happens when the model was changed in the middle of a turn.
fn loop_is_signed(messages: &[ChatMessage]) -> bool {
    messages.iter().rev().take_while(|message| !matches!(message, ChatMessage::User { .. })).all(
        |message| match message {
            ChatMessage::Assistant { reasoning, tool_calls, .. } if !tool_calls.is_empty() => {
                reasoning.iter().any(|block| block_json(block).is_some())
            }
            _ => true,
        },
    )
}

/// A block to send back; `None` for one that Anthropic could not verify.
pub(super) fn block_json(block: &Reasoning) -> Option<Value> {
    match (&block.redacted, &block.signature) {
        (Some(data), _) => Some(json!({"type": "redacted_thinking", "data": data})),
        (None, Some(signature)) => Some(json!({"type": "thinking", "thinking": block.text, "signature": signature})),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_models_budget_for_themselves() {
        for model in ["claude-opus-4-7", "claude-opus-4-8-20260601", "claude-sonnet-5", "anthropic/claude-opus-4.7"] {
            assert!(is_adaptive(model), "{model}");
        }
        for model in
            ["claude-opus-4-6", "claude-sonnet-4-20250514", "claude-3-7-sonnet-20250219", "claude-next", "nova-9"]
        {
            assert!(!is_adaptive(model), "{model}");
        }
    }
}
