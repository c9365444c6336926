//! OpenAI's Responses API.

use mneme_llm::{ChatMessage, Delta, FinishReason, LlmError, ProviderKind, Reasoning, Usage};
use serde_json::{Value, json};

use crate::{
    argued, called, client, provider, say, say_with_tool,
    server::{Answer, Server},
    signed, stream_from, text, thought, typed_events,
};

const USAGE: Usage = Usage {
    prompt_tokens: 30,
    completion_tokens: 12,
    total_tokens: 42,
    cached_tokens: Some(8),
    cache_write_tokens: None,
    reasoning_tokens: Some(9),
};

fn output() -> Value {
    json!([
        {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "one"}, {"type": "summary_text", "text": "two"}], "encrypted_content": "enc"},
        {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "hello"}]},
        {"type": "function_call", "id": "fc", "call_id": "call_a", "name": "f", "arguments": "{\"x\":1}"},
        {"type": "function_call", "id": "fd", "call_id": "call_b", "name": "f", "arguments": "{\"x\":2}"},
    ])
}

fn response(status: &str, output: Value) -> Value {
    json!({"object": "response", "status": status, "error": null, "output": output, "usage": {
        "input_tokens": 30, "input_tokens_details": {"cached_tokens": 8},
        "output_tokens": 12, "output_tokens_details": {"reasoning_tokens": 9}, "total_tokens": 42,
    }})
}

async fn deltas(events: &[Value]) -> Result<Vec<Delta>, LlmError> {
    let server = Server::always(Answer::events(typed_events(events))).await;
    stream_from(&provider(ProviderKind::OpenAi, &server.url), &say("gpt-5-mini", "hi")).await
}

#[tokio::test]
async fn a_stream_with_reasoning_text_and_calls() {
    let item = |i: usize| output()[i].clone();
    let events = [
        json!({"type": "response.created", "response": {"object": "response", "status": "in_progress", "error": null}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "summary": []}}),
        json!({"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 0}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "one"}),
        json!({"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 1}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "two"}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item(0)}),
        json!({"type": "response.output_text.delta", "output_index": 1, "delta": "hel"}),
        json!({"type": "response.output_text.delta", "output_index": 1, "delta": "lo"}),
        json!({"type": "response.output_text.done", "output_index": 1, "text": "hello"}),
        json!({"type": "response.output_item.done", "output_index": 1, "item": item(1)}),
        json!({"type": "response.output_item.added", "output_index": 2, "item": {"type": "function_call", "call_id": "call_a", "name": "f", "arguments": ""}}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{\"x\""}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 2, "delta": ":1}"}),
        json!({"type": "response.function_call_arguments.done", "output_index": 2, "arguments": "{\"x\":1}"}),
        json!({"type": "response.output_item.done", "output_index": 2, "item": item(2)}),
        // Some servers do not stream calls: the finished item is all there is.
        json!({"type": "response.output_item.done", "output_index": 3, "item": item(3)}),
        json!({"type": "response.completed", "response": response("completed", output())}),
    ];
    assert_eq!(
        deltas(&events).await,
        Ok(vec![
            thought("one"),
            thought("\n\n"),
            thought("two"),
            signed("", "enc"),
            text("hel"),
            text("lo"),
            called(0, "call_a", "f", ""),
            argued(0, "{\"x\""),
            argued(0, ":1}"),
            called(1, "call_b", "f", "{\"x\":2}"),
            Delta::Usage(USAGE),
            Delta::Finish(FinishReason::ToolCalls),
        ])
    );
}

#[tokio::test]
async fn a_whole_answer() {
    let server = Server::always(Answer::json(200, &response("completed", output()))).await;
    let provider = provider(ProviderKind::OpenAi, &format!("{}/v1", server.url));
    let done = client().complete(&provider, &say_with_tool("o3", "hi")).await.expect("completion");
    assert_eq!(server.seen()[0].line, "POST /v1/responses HTTP/1.1");
    let block = Reasoning { text: "one\n\ntwo".into(), signature: Some("enc".into()), redacted: None };
    assert_eq!((done.text.as_deref(), done.reasoning), (Some("hello"), vec![block]));
    let ids: Vec<_> = done.tool_calls.iter().map(|call| (call.id.as_str(), call.arguments.as_str())).collect();
    assert_eq!(ids, [("call_a", "{\"x\":1}"), ("call_b", "{\"x\":2}")]);
    assert_eq!((done.usage, done.finish), (Some(USAGE), FinishReason::ToolCalls));
}

#[tokio::test]
async fn endings_are_told_apart() {
    let end = |kind: &str, mut response: Value, details: Value| {
        response["incomplete_details"] = details;
        json!({"type": kind, "response": response})
    };
    let message = json!([{"type": "message", "content": [{"type": "refusal", "refusal": "no"}]}]);
    let refusal = json!({"type": "response.output_item.done", "output_index": 0, "item": message[0]});
    for (events, expected) in [
        (
            vec![end("response.incomplete", response("incomplete", json!([])), json!({"reason": "max_output_tokens"}))],
            FinishReason::Length,
        ),
        (
            vec![end("response.incomplete", response("incomplete", json!([])), json!({"reason": "content_filter"}))],
            FinishReason::ContentFilter,
        ),
        (
            vec![refusal, end("response.completed", response("completed", message.clone()), json!(null))],
            FinishReason::Refusal,
        ),
        (
            vec![end("response.cancelled", response("cancelled", json!([])), json!(null))],
            FinishReason::Other("cancelled".into()),
        ),
    ] {
        let all = deltas(&events).await.expect("deltas");
        assert_eq!(all.last(), Some(&Delta::Finish(expected)));
    }
}

#[tokio::test]
async fn failures_inside_the_stream() {
    let failed = |code: &str| json!({"type": "response.failed", "response": {"object": "response", "status": "failed", "error": {"code": code, "message": "m"}}});
    for (event, kind) in [
        (failed("rate_limit_exceeded"), "rate_limit"),
        (failed("server_error"), "server"),
        (failed("context_length_exceeded"), "context_overflow"),
        (json!({"type": "error", "code": "invalid_prompt", "message": "m", "param": null}), "content_policy"),
        (json!({"type": "response.output_text.delta", "output_index": 0, "delta": "x"}), "malformed"),
    ] {
        let outcome = deltas(std::slice::from_ref(&event)).await;
        assert_eq!(outcome.expect_err("fails").kind(), kind, "{event}");
    }
}

#[tokio::test]
async fn reasoning_of_another_key_is_left_out_when_openai_cannot_read_it() {
    let refusal = json!({"error": {"message": "The encrypted content gAAA could not be verified.", "code": "invalid_encrypted_content"}});
    let good = Answer::json(200, &response("completed", output()));
    let server = Server::start(vec![Answer::json(400, &refusal), good]).await;
    let mut request = say("gpt-5", "hi");
    let block = Reasoning { text: "t".into(), signature: Some("foreign".into()), redacted: None };
    let earlier =
        ChatMessage::Assistant { text: Some("a".into()), reasoning: vec![block], tool_calls: vec![], name: None };
    request.messages.insert(0, earlier);
    let done = client().complete(&provider(ProviderKind::OpenAi, &server.url), &request).await.expect("completion");
    assert_eq!(done.text.as_deref(), Some("hello"));
    let kinds = |n: usize| server.seen()[n].body["input"].as_array().map_or(0, Vec::len);
    assert_eq!((kinds(0), kinds(1), server.seen().len()), (3, 2, 2));
}
