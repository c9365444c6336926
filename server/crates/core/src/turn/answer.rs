//! A model's answer as a stored message.

use mneme_domain::{
    content::ContentPart,
    message::{Message, StoredToolCall},
};
use mneme_llm::Completion;

/// Writes what the model said into its message.
pub fn fill(message: &mut Message, completion: &Completion) {
    let mut content = Vec::new();
    for block in &completion.reasoning {
        if let Some(data) = &block.redacted {
            content.push(ContentPart::RedactedReasoning { data: data.clone() });
        } else if !block.text.is_empty() || block.signature.is_some() {
            content.push(ContentPart::Reasoning {
                is_native: true,
                reasoning: block.text.clone(),
                signature: block.signature.clone(),
            });
        }
    }
    if let Some(text) = completion.text.as_deref().filter(|text| !text.is_empty()) {
        content.push(ContentPart::text(text));
    }
    message.content = content;
    let calls: Vec<StoredToolCall> = completion
        .tool_calls
        .iter()
        .map(|call| StoredToolCall::new(call.id.clone(), call.name.clone(), call.arguments.clone()))
        .collect();
    message.tool_calls = (!calls.is_empty()).then_some(calls);
}

/// Whether the model said nothing and called nothing.
pub fn is_empty(completion: &Completion) -> bool {
    completion.tool_calls.is_empty() && completion.text.as_deref().is_none_or(|text| text.trim().is_empty())
}
