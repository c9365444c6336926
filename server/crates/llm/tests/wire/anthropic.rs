//! Anthropic's Messages API.

use mneme_llm::{Delta, FinishReason, LlmError, ProviderKind, Reasoning, Usage};
use serde_json::{Value, json};

use crate::{
    argued, called, client, provider, say, say_with_tool,
    server::{Answer, Server},
    signed, stream_from, text, thought, typed_events,
};

const MODEL: &str = "claude-sonnet-4-20250514";
const USAGE: Usage = Usage {
    prompt_tokens: 17,
    completion_tokens: 25,
    total_tokens: 42,
    cached_tokens: Some(4),
    cache_write_tokens: Some(3),
    reasoning_tokens: None,
};

async fn deltas(body: String) -> Result<Vec<Delta>, LlmError> {
    let server = Server::always(Answer::events(body)).await;
    stream_from(&provider(ProviderKind::Anthropic, &server.url), &say(MODEL, "hi")).await
}

fn start(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn begin() -> Value {
    json!({"type": "message_start", "message": {"usage": {
        "input_tokens": 10, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 1}}})
}

fn end(reason: &str) -> [Value; 2] {
    [
        json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 25}}),
        json!({"type": "message_stop"}),
    ]
}

#[tokio::test]
async fn a_stream_with_thinking_text_and_calls() {
    let events = [
        begin(),
        json!({"type": "ping"}),
        start(0, json!({"type": "thinking", "thinking": "", "signature": ""})),
        delta(0, json!({"type": "thinking_delta", "thinking": "hm"})),
        delta(0, json!({"type": "signature_delta", "signature": "c2l"})),
        delta(0, json!({"type": "signature_delta", "signature": "n"})),
        stop(0),
        start(1, json!({"type": "redacted_thinking", "data": "b3Bh"})),
        stop(1),
        start(2, json!({"type": "text", "text": ""})),
        delta(2, json!({"type": "text_delta", "text": "hel"})),
        delta(2, json!({"type": "text_delta", "text": "lo"})),
        stop(2),
        start(3, json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}})),
        delta(3, json!({"type": "input_json_delta", "partial_json": ""})),
        delta(3, json!({"type": "input_json_delta", "partial_json": "{\"x\":"})),
        delta(3, json!({"type": "input_json_delta", "partial_json": "1}"})),
        stop(3),
        start(4, json!({"type": "tool_use", "id": "toolu_2", "name": "f", "input": {}})),
        stop(4),
    ];
    let body = typed_events(&[&events[..], &end("tool_use")].concat());
    assert_eq!(
        deltas(body).await,
        Ok(vec![
            thought("hm"),
            signed("", "c2ln"),
            Delta::RedactedReasoning("b3Bh".into()),
            text("hel"),
            text("lo"),
            called(0, "toolu_1", "f", ""),
            argued(0, "{\"x\":"),
            argued(0, "1}"),
            called(1, "toolu_2", "f", ""),
            argued(1, "{}"),
            Delta::Usage(USAGE),
            Delta::Finish(FinishReason::ToolCalls),
        ])
    );
}

#[tokio::test]
async fn a_whole_answer() {
    let answer = json!({
        "type": "message",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "b3Bh"},
            {"type": "text", "text": "hello"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": 1}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 10, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 25},
    });
    let server = Server::always(Answer::json(200, &answer)).await;
    let provider = provider(ProviderKind::Anthropic, &server.url);
    let done = client().complete(&provider, &say_with_tool(MODEL, "hi")).await.expect("completion");
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /v1/messages HTTP/1.1");
    assert!(
        seen.headers.contains("x-api-key: sk-test-0123456789")
            && seen.headers.contains("anthropic-version: 2023-06-01")
    );
    assert!(!seen.headers.contains("authorization"));
    assert_eq!(
        done.reasoning,
        [
            Reasoning { text: "hm".into(), signature: Some("c2ln".into()), redacted: None },
            Reasoning { text: String::new(), signature: None, redacted: Some("b3Bh".into()) },
        ]
    );
    assert_eq!((done.text.as_deref(), done.tool_calls[0].arguments.as_str()), (Some("hello"), "{\"x\":1}"));
    assert_eq!((done.usage, done.finish, done.response_json), (Some(USAGE), FinishReason::ToolCalls, answer));
}

#[tokio::test]
async fn stop_reasons() {
    for (reason, expected) in [
        ("end_turn", FinishReason::Stop),
        ("stop_sequence", FinishReason::Stop),
        ("max_tokens", FinishReason::Length),
        ("model_context_window_exceeded", FinishReason::Length),
        ("refusal", FinishReason::Refusal),
        ("pause_turn", FinishReason::Other("pause_turn".into())),
    ] {
        let all = deltas(typed_events(&[&[begin()][..], &end(reason)].concat())).await.expect("deltas");
        assert_eq!(all.last(), Some(&Delta::Finish(expected)));
    }
}

#[tokio::test]
async fn failures_are_named_and_overload_is_retried() {
    let overloaded = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let good = typed_events(&[&[begin()][..], &end("end_turn")].concat());
    let server = Server::start(vec![
        Answer::json(529, &overloaded),
        Answer::events(typed_events(&[begin(), overloaded])),
        Answer::events(good),
    ])
    .await;
    let outcome = stream_from(&provider(ProviderKind::Anthropic, &server.url), &say(MODEL, "hi")).await;
    assert_eq!(outcome, Ok(vec![Delta::Usage(USAGE), Delta::Finish(FinishReason::Stop)]));
    assert_eq!(server.seen().len(), 3);
    let cut = typed_events(&[begin(), start(0, json!({"type": "text", "text": "hel"})), stop(0)]);
    assert_eq!(deltas(cut).await.expect_err("cut off").kind(), "malformed");
}
