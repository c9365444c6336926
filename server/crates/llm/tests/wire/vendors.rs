//! What the imitators of OpenAI do differently.

use mneme_llm::{ChatMessage, ChatRequest, Params, ProviderKind, Reasoning, ToolCall, ToolChoice};
use serde_json::{Value, json};

use crate::{
    client, provider, say, say_with_tool,
    server::{Answer, Server},
};

fn good() -> Answer {
    Answer::events(
        "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    )
}

/// A turn in the middle of its calls.
fn in_the_middle(model: &str) -> ChatRequest {
    let mut request = say_with_tool(model, "hi");
    let call = |id: &str| ToolCall { id: id.into(), name: "f".into(), arguments: "{}".into() };
    request.messages.push(ChatMessage::Assistant {
        text: None,
        reasoning: vec![Reasoning { text: "let me see".into(), ..Reasoning::default() }],
        tool_calls: vec![call("call_0123456789abcdef")],
        name: None,
    });
    request.messages.push(ChatMessage::Tool {
        call_id: "call_0123456789abcdef".into(),
        name: Some("f".into()),
        content: "4".into(),
    });
    request.messages.push(ChatMessage::System { text: "It is late.".into() });
    request.params = Params {
        reasoning_effort: Some("medium".into()),
        frequency_penalty: Some(0.5),
        max_tokens: Some(100),
        parallel_tool_calls: Some(true),
        enable_reasoner: true,
        ..Params::default()
    };
    request
}

/// What a provider of this kind is sent.
async fn sent(kind: ProviderKind, request: &ChatRequest) -> Value {
    let server = Server::always(good()).await;
    client().stream(&provider(kind, &server.url), request).await.expect("a stream");
    server.seen()[0].body.clone()
}

fn has(body: &Value, names: &[&str]) -> Vec<bool> {
    names.iter().map(|name| body.get(name).is_some()).collect()
}

#[tokio::test]
async fn mistral_gets_short_ids_known_fields_and_no_late_instructions() {
    let mut request = in_the_middle("mistral-large-latest");
    request.tool_choice = ToolChoice::Required;
    let body = sent(ProviderKind::Mistral, &request).await;
    assert_eq!(has(&body, &["stream_options", "reasoning_effort", "max_tokens"]), [false, false, true]);
    assert_eq!(body["tool_choice"], "any");
    let (call, answer) = (&body["messages"][1]["tool_calls"][0]["id"], &body["messages"][2]["tool_call_id"]);
    assert_eq!(call, answer, "they still belong together");
    assert!(call.as_str().is_some_and(|id| id.len() == 9 && id.chars().all(|c| c.is_ascii_alphanumeric())), "{call}");
    assert_eq!(body["messages"][3], json!({"role": "user", "content": "<system>\nIt is late.\n</system>"}));
}

#[tokio::test]
async fn deepseek_gets_its_reasoning_back_while_the_calls_go_on() {
    let mut request = in_the_middle("deepseek-reasoner");
    request.response_format =
        Some(json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}));
    let body = sent(ProviderKind::DeepSeek, &request).await;
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    assert!(body["messages"][0]["content"].as_str().is_some_and(|text| text.contains("JSON Schema")));
    assert_eq!(body["messages"][2]["reasoning_content"], "let me see");
    request.messages.push(ChatMessage::User { parts: vec![mneme_llm::Part::Text("and?".into())], name: None });
    let later = sent(ProviderKind::DeepSeek, &request).await;
    assert!(later["messages"][2].get("reasoning_content").is_none(), "the turn is over");
}

#[tokio::test]
async fn efforts_and_penalties_go_where_they_are_known() {
    let names = ["reasoning_effort", "frequency_penalty", "reasoning_format", "max_completion_tokens"];
    for (kind, model, expected) in [
        (ProviderKind::Groq, "openai/gpt-oss-120b", [true, true, false, false]),
        (ProviderKind::Groq, "qwen/qwen3-32b", [false, true, true, false]),
        (ProviderKind::Groq, "llama-3.3-70b-versatile", [false, true, false, false]),
        (ProviderKind::Xai, "grok-4", [false, false, false, false]),
        (ProviderKind::Xai, "grok-3-mini", [true, false, false, false]),
        (ProviderKind::Xai, "grok-3", [false, true, false, false]),
        (ProviderKind::Cerebras, "gpt-oss-120b", [true, false, false, true]),
        (ProviderKind::Cerebras, "llama3.1-8b", [false, false, false, true]),
        (ProviderKind::Together, "openai/gpt-oss-20b", [true, true, false, false]),
        (ProviderKind::HuggingFace, "meta-llama/Llama-3.3-70B-Instruct", [false, true, false, false]),
        (ProviderKind::OpenAiCompatible, "any", [true, true, false, false]),
    ] {
        let body = sent(kind, &in_the_middle(model)).await;
        assert_eq!(has(&body, &names), expected, "{kind:?} {model}: {body}");
    }
    assert_eq!(sent(ProviderKind::Xai, &in_the_middle("grok-3-mini")).await["reasoning_effort"], "high");
}

#[tokio::test]
async fn openrouter_passes_budgets_and_cache_marks_on() {
    let mut request = in_the_middle("anthropic/claude-sonnet-4");
    request.messages.insert(0, ChatMessage::System { text: "Be kind.".into() });
    request.params.max_reasoning_tokens = 2000;
    let body = sent(ProviderKind::OpenRouter, &request).await;
    assert_eq!(body["reasoning"], json!({"max_tokens": 2000}));
    assert_eq!(
        body["messages"][0]["content"],
        json!([{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}])
    );
    let server = Server::always(Answer::json(200, &json!({"data": {"label": "x"}}))).await;
    client().check(&provider(ProviderKind::OpenRouter, &server.url)).await.expect("a good key");
    assert_eq!(server.seen()[0].line, "GET /key HTTP/1.1", "its models are shown without any key");
}

#[tokio::test]
async fn openrouter_gets_back_the_details_of_reasoning_that_came_with_an_answer() {
    let chunk =
        |delta: Value, finish: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
    let words =
        |text: &str| json!({"type": "reasoning.text", "text": text, "format": "anthropic-claude-v1", "index": 0});
    let signature = json!({"type": "reasoning.text", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0});
    let secret = json!({"type": "reasoning.encrypted", "data": "b2s=", "id": "r1", "index": 1});
    let call = json!({"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let chunks = [
        chunk(json!({"content": "", "reasoning": "let ", "reasoning_details": [words("let ")]}), Value::Null),
        chunk(json!({"content": "", "reasoning": "me see", "reasoning_details": [words("me see")]}), Value::Null),
        chunk(json!({"content": "", "reasoning_details": [signature]}), Value::Null),
        chunk(json!({"content": "I look.", "reasoning_details": []}), Value::Null),
        chunk(json!({"tool_calls": [call], "reasoning_details": [secret]}), json!("tool_calls")),
    ];
    let body: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    let server = Server::always(Answer::events(format!("{body}data: [DONE]\n\n"))).await;
    let openrouter = provider(ProviderKind::OpenRouter, &server.url);
    let mut request = say_with_tool("anthropic/claude-sonnet-4", "hi");
    let done =
        client().stream(&openrouter, &request).await.expect("a stream").into_completion().await.expect("an answer");
    assert_eq!(done.reasoning[0].text, "let me see");
    assert_eq!(done.text.as_deref(), Some("I look."));

    let call_id = done.tool_calls[0].id.clone();
    request.messages.push(ChatMessage::Assistant {
        text: done.text,
        reasoning: done.reasoning,
        tool_calls: done.tool_calls,
        name: None,
    });
    request.messages.push(ChatMessage::Tool { call_id, name: Some("f".into()), content: "4".into() });
    let mut joined = words("let me see");
    joined["signature"] = json!("c2ln");
    let body = sent(ProviderKind::OpenRouter, &request).await;
    assert_eq!(body["messages"][1]["reasoning_details"], json!([joined, secret]), "{body}");
    assert_eq!(body["messages"][1]["tool_calls"][0]["id"], "call_1");
    let elsewhere = sent(ProviderKind::OpenAiCompatible, &request).await;
    assert_eq!(elsewhere["messages"][1].get("reasoning_details"), None, "others know nothing of it");
}

#[tokio::test]
async fn askers_are_named_to_openai_alone() {
    let asked = |kind: ProviderKind| async move {
        let request = ChatRequest { cache_key: Some("agent-1".into()), ..say("gpt-4o", "hi") };
        sent(kind, &request).await.get("prompt_cache_key").cloned()
    };
    assert_eq!(asked(ProviderKind::OpenAi).await, Some(json!("agent-1")));
    assert_eq!(asked(ProviderKind::OpenAiCompatible).await, None);
    assert_eq!(asked(ProviderKind::Mistral).await, None);
}

#[tokio::test]
async fn the_router_of_hugging_face_tells_what_each_server_can() {
    let list = json!({"data": [{"id": "meta-llama/Llama-3.3-70B-Instruct", "providers": [
        {"provider": "a", "context_length": 32_768, "supports_tools": false},
        {"provider": "b", "context_length": 131_072, "supports_tools": true},
    ]}]});
    let server = Server::always(Answer::json(200, &list)).await;
    let models = client().models(&provider(ProviderKind::HuggingFace, &server.url)).await.expect("models");
    assert_eq!((models[0].context_window.tokens, models[0].supports_tools), (131_072, Some(true)));
}
