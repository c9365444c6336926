//! Histories that a provider would refuse for their form.

use mneme_llm::{ChatMessage, ChatRequest, ProviderKind, ToolCall};

use crate::{client, provider, say_with_tool};

#[tokio::test]
async fn names_and_ids_that_are_refused_are_sent_in_another_form() {
    let id = format!("chatcmpl-tool-{}", "0".repeat(32));
    let name = "functions.f g";
    let call = ToolCall { id: id.clone(), name: name.into(), arguments: "{}".into() };
    let mut request = say_with_tool("", "hi");
    request.messages.extend([
        ChatMessage::Assistant { text: None, reasoning: vec![], tool_calls: vec![call], name: None },
        ChatMessage::Tool { call_id: id.clone(), name: Some(name.into()), content: "There is no such tool.".into() },
    ]);
    for (kind, model) in [
        (ProviderKind::OpenAiCompatible, "m"),
        (ProviderKind::OpenAi, "gpt-4o-mini"),
        (ProviderKind::OpenAi, "gpt-5"),
        (ProviderKind::Mistral, "mistral-small"),
        (ProviderKind::Anthropic, "claude-sonnet-4-20250514"),
        (ProviderKind::Gemini, "gemini-2.5-pro"),
        (ProviderKind::Bedrock, "anthropic.claude-3-5-haiku-20241022-v1:0"),
    ] {
        let request = ChatRequest { model: model.into(), ..request.clone() };
        let body = client().request_body(&provider(kind, "http://127.0.0.1:9"), &request, true).to_string();
        assert!(!body.contains(&id) && !body.contains(name), "{kind:?}: {body}");
        assert!(body.contains("functions_f_g") && body.contains("There is no such tool."), "{kind:?}: {body}");
    }
}
