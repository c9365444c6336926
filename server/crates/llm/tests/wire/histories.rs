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

#[tokio::test]
async fn an_answer_at_the_end_is_followed_by_the_user_where_it_is_refused() {
    let mut request = say_with_tool("", "hi");
    let said = Some("I was about to say".to_owned());
    request.messages.push(ChatMessage::Assistant { text: said, reasoning: vec![], tool_calls: vec![], name: None });
    for (kind, model, list) in [
        (ProviderKind::Anthropic, "claude-opus-4-7", "messages"),
        (ProviderKind::Bedrock, "anthropic.claude-3-5-haiku-20241022-v1:0", "messages"),
        (ProviderKind::Gemini, "gemini-2.5-pro", "contents"),
        (ProviderKind::Mistral, "mistral-small", "messages"),
    ] {
        let request = ChatRequest { model: model.into(), ..request.clone() };
        let body = client().request_body(&provider(kind, "http://127.0.0.1:9"), &request, true);
        let turns = body[list].as_array().expect("turns");
        let roles: Vec<&str> = turns.iter().filter_map(|turn| turn["role"].as_str()).collect();
        let own = if kind == ProviderKind::Gemini { "model" } else { "assistant" };
        assert_eq!(&roles[roles.len() - 3..], ["user", own, "user"], "{kind:?}: {body}");
        assert!(turns[turns.len() - 1].to_string().contains("Continue."), "{kind:?}: {body}");
    }
}
