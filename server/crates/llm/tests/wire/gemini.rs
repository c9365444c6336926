//! Google's Gemini API.

use mneme_llm::{Delta, FinishReason, LlmError, ProviderKind, Reasoning, Usage};
use serde_json::{Value, json};

use crate::{
    client, provider, say, say_with_tool,
    server::{Answer, Server},
    shown, signed, stream_from, text, thought,
};

const MODEL: &str = "gemini-2.5-flash";
const USAGE: Usage = Usage {
    prompt_tokens: 20,
    completion_tokens: 22,
    total_tokens: 42,
    cached_tokens: Some(5),
    cache_write_tokens: None,
    reasoning_tokens: Some(12),
};

fn chunk(parts: Value, finish: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    json!({"candidates": [candidate], "usageMetadata": {"promptTokenCount": 20, "candidatesTokenCount": 10,
        "thoughtsTokenCount": 12, "totalTokenCount": 42, "cachedContentTokenCount": 5}})
}

fn events(chunks: &[Value]) -> String {
    chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect()
}

async fn deltas(answer: Answer) -> Result<Vec<Delta>, LlmError> {
    let server = Server::always(answer).await;
    let outcome = stream_from(&provider(ProviderKind::Gemini, &server.url), &say(MODEL, "hi")).await;
    assert_eq!(server.seen()[0].line, "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse HTTP/1.1");
    assert!(server.seen()[0].headers.contains("x-goog-api-key: sk-test-0123456789"));
    outcome
}

fn call(n: u64) -> Value {
    json!({"functionCall": {"name": "f", "args": {"x": n}}})
}

#[tokio::test]
async fn a_stream_with_thoughts_text_and_calls() {
    let mut first_call = call(1);
    first_call["thoughtSignature"] = json!("c2ln");
    let chunks = [
        chunk(json!([{"text": "hm", "thought": true}]), None),
        chunk(json!([{"text": "hello"}]), None),
        chunk(json!([first_call, call(1), {"functionCall": {"name": "g"}}]), Some("STOP")),
    ];
    let check = |all: Result<Vec<Delta>, LlmError>| {
        let mut all = all.expect("deltas");
        let calls: Vec<_> = all
            .extract_if(.., |delta| matches!(delta, Delta::ToolCall { .. }))
            .map(|delta| match delta {
                Delta::ToolCall { index, id: Some(id), name: Some(name), arguments } => {
                    (index, id.len(), name, arguments)
                }
                other => panic!("unexpected {other:?}"),
            })
            .collect();
        let call = |index, name: &str, arguments: &str| (index, 29, name.to_owned(), arguments.to_owned());
        assert_eq!(calls, [call(0, "f", "{\"x\":1}"), call(1, "f", "{\"x\":1}"), call(2, "g", "{}")]);
        let finish = Delta::Finish(FinishReason::ToolCalls);
        assert_eq!(all, [thought("hm"), text("hello"), signed("", "c2ln"), Delta::Usage(USAGE), finish]);
    };
    check(deltas(Answer::events(events(&chunks))).await);
    check(deltas(Answer::json(200, &json!(chunks))).await);
}

#[tokio::test]
async fn a_whole_answer() {
    let answer = chunk(json!([{"text": "hm", "thought": true}, {"text": "hello"}, call(2)]), Some("STOP"));
    let server = Server::always(Answer::json(200, &answer)).await;
    let provider = provider(ProviderKind::Gemini, &server.url);
    let done = client().complete(&provider, &say_with_tool("models/gemini-2.5-flash", "hi")).await.expect("completion");
    assert_eq!(server.seen()[0].line, "POST /v1beta/models/gemini-2.5-flash:generateContent HTTP/1.1");
    let block = Reasoning { text: "hm".into(), signature: None, redacted: None };
    assert_eq!((done.text.as_deref(), &done.reasoning), (Some("hello"), &vec![block]));
    assert_eq!((shown(&done.tool_calls), done.finish), (vec![("f", "{\"x\":2}")], FinishReason::ToolCalls));
    assert_eq!(done.usage, Some(USAGE));
}

#[tokio::test]
async fn finish_reasons() {
    for (reason, expected) in [
        ("STOP", FinishReason::Stop),
        ("MAX_TOKENS", FinishReason::Length),
        ("SAFETY", FinishReason::ContentFilter),
        ("MALFORMED_FUNCTION_CALL", FinishReason::Other("MALFORMED_FUNCTION_CALL".into())),
    ] {
        let all = deltas(Answer::events(events(&[chunk(json!([]), Some(reason))]))).await.expect("deltas");
        assert_eq!(all.last(), Some(&Delta::Finish(expected)));
    }
}

#[tokio::test]
async fn blocked_prompts_and_failures() {
    for (body, kind) in [
        (events(&[json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})]), "content_policy"),
        (events(&[json!({"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}})]), "bad_request"),
        (events(&[chunk(json!([{"text": "x"}]), None)]), "malformed"),
    ] {
        assert_eq!(deltas(Answer::events(body)).await.expect_err("fails").kind(), kind);
    }
    let empty = deltas(Answer::json(200, &json!({}))).await;
    assert_eq!(empty.expect_err("empty").kind(), "malformed");
}
