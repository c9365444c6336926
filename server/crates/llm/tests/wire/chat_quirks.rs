//! Streams of OpenAI and of those who imitate it, with their peculiarities.

use std::time::{Duration, Instant};

use mneme_llm::{Assembler, Completion, Delta, FinishReason, LlmError, ProviderKind, Usage};
use serde_json::{Value, json};

use crate::{
    client, provider, say, say_with_tool,
    server::{Answer, Server},
    shown, stream, text, thought,
};

/// A chunk of a chat completion.
fn chunk(delta: Value, finish: Option<&str>) -> Value {
    json!({"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
}

fn events(chunks: &[Value]) -> String {
    chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect()
}

fn done(chunks: &[Value]) -> String {
    events(chunks) + "data: [DONE]\n\n"
}

async fn deltas(body: impl AsRef<[u8]>) -> Result<Vec<Delta>, LlmError> {
    let server = Server::always(Answer::events(body)).await;
    stream(&server.url, &say("m", "hi")).await
}

async fn completion(body: impl AsRef<[u8]>) -> Completion {
    let mut assembler = Assembler::new();
    deltas(body).await.expect("deltas").into_iter().for_each(|delta| assembler.push(delta));
    assembler.finish()
}

fn stop() -> Delta {
    Delta::Finish(FinishReason::Stop)
}

#[tokio::test]
async fn the_regular_stream_of_openai() {
    let usage = json!({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1}});
    let body = done(&[
        chunk(json!({"role": "assistant", "content": ""}), None),
        chunk(json!({"content": "Hel"}), None),
        chunk(json!({"content": "lo"}), None),
        chunk(json!({}), Some("stop")),
        json!({"id": "c", "choices": [], "usage": usage}),
    ]);
    let server = Server::always(Answer::events(body)).await;
    let stream = client().stream(&provider(ProviderKind::OpenAi, &server.url), &say("gpt-4o", "hi")).await;
    let stream = stream.expect("stream");
    let sent = stream.request_json().clone();
    let done = stream.into_completion().await.expect("completion");
    assert_eq!(done.text.as_deref(), Some("Hello"));
    assert_eq!(done.finish, FinishReason::Stop);
    assert_eq!(
        done.usage,
        Some(Usage {
            prompt_tokens: 9,
            completion_tokens: 3,
            total_tokens: 12,
            cached_tokens: Some(4),
            cache_write_tokens: Some(2),
            reasoning_tokens: Some(1)
        })
    );
    let seen = server.seen();
    assert_eq!(seen[0].line, "POST /chat/completions HTTP/1.1");
    assert!(seen[0].headers.contains("authorization: bearer sk-test-0123456789"), "{}", seen[0].headers);
    assert!(seen[0].headers.contains("user-agent: mneme/"), "{}", seen[0].headers);
    assert_eq!(seen[0].body, sent, "the trace is what was sent");
    assert_eq!(done.request_json, sent);
}

#[tokio::test]
async fn no_usage_no_space_crlf_comments_and_no_end_mark() {
    let body = format!(
        ": OPENROUTER PROCESSING\r\n\r\ndata:{}\r\n\r\n:ping\r\ndata:{}\r\n\r\n",
        chunk(json!({"content": "é"}), None),
        chunk(json!({"content": null}), Some("stop"))
    );
    assert_eq!(deltas(body).await, Ok(vec![text("é"), stop()]));
}

#[tokio::test]
async fn every_cut_of_the_bytes_gives_the_same_deltas() {
    let body = done(&[
        chunk(json!({"reasoning_content": "hm✓"}), None),
        chunk(json!({"content": "é"}), None),
        chunk(
            json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{\"x\":"}}]}),
            None,
        ),
        chunk(json!({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}), Some("tool_calls")),
    ])
    .replace("\n\n", "\r\n\r\n");
    let expected = deltas(&body).await.expect("deltas");
    assert_eq!(expected.len(), 5);
    // One server that cuts the n-th answer after its n-th byte.
    let step = 7;
    let cuts: Vec<usize> = (1..body.len()).step_by(step).collect();
    let answers = cuts
        .iter()
        .map(|cut| Answer::events(&body.as_bytes()[..*cut]).after(Duration::from_millis(2), &body.as_bytes()[*cut..]));
    let server = Server::start(answers.collect()).await;
    for cut in cuts {
        assert_eq!(stream(&server.url, &say("m", "hi")).await.as_ref(), Ok(&expected), "cut at {cut}");
    }
}

#[tokio::test]
async fn reasoning_comes_under_several_names_and_once() {
    let body = done(&[
        chunk(json!({"reasoning_content": "a", "reasoning": "a"}), None),
        chunk(json!({"reasoning": "b", "content": ""}), None),
        chunk(json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "c"}]}]}), None),
        chunk(json!({"content": [{"type": "text", "text": "d"}, {"type": "text", "text": "e"}]}), None),
        chunk(json!({}), Some("stop")),
    ]);
    let expected = vec![thought("a"), thought("b"), thought("c"), text("d"), text("e"), stop()];
    assert_eq!(deltas(body).await, Ok(expected));
}

#[tokio::test]
async fn thoughts_between_tags_are_taken_out_of_the_text() {
    let body = done(&[
        chunk(json!({"content": "<thi"}), None),
        chunk(json!({"content": "nk>why</th"}), None),
        chunk(json!({"content": "ink>\n\nbecause"}), None),
        chunk(json!({}), Some("stop")),
    ]);
    assert_eq!(deltas(body).await, Ok(vec![thought("why"), text("because"), stop()]));
}

#[tokio::test]
async fn tool_calls_of_ollama_with_objects_no_ids_and_one_index() {
    let call = |name: &str, arguments: Value| json!({"index": 0, "function": {"name": name, "arguments": arguments}});
    let body = done(&[
        chunk(json!({"content": "", "tool_calls": [call("f", json!({"x": 1}))]}), None),
        chunk(json!({"tool_calls": [call("f", json!({"x": 2})), call("g", json!("{}"))]}), None),
        chunk(json!({"content": ""}), Some("stop")),
    ]);
    let done = completion(body).await;
    assert_eq!(shown(&done.tool_calls), [("f", "{\"x\":1}"), ("f", "{\"x\":2}"), ("g", "{}")]);
    assert_eq!(done.finish, FinishReason::ToolCalls);
    let ids: std::collections::HashSet<_> = done.tool_calls.iter().map(|call| &call.id).collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn the_old_function_call_and_calls_without_the_inner_level() {
    let body = done(&[
        chunk(json!({"function_call": {"name": "f", "arguments": "{\"x\""}}), None),
        chunk(json!({"function_call": {"arguments": ":1}"}}), Some("function_call")),
    ]);
    let old = completion(body).await;
    assert_eq!((shown(&old.tool_calls), old.finish), (vec![("f", "{\"x\":1}")], FinishReason::ToolCalls));
    let body = done(&[chunk(json!({"tool_calls": [{"id": 7, "name": "g", "arguments": {}}]}), Some("tool_calls"))]);
    let flat = completion(body).await;
    assert_eq!((flat.tool_calls[0].id.as_str(), shown(&flat.tool_calls)), ("7", vec![("g", "{}")]));
}

#[tokio::test]
async fn refusals_filters_and_limits_are_told_apart() {
    for (delta, reason, expected) in [
        (json!({"refusal": "I will not."}), "stop", FinishReason::Refusal),
        (json!({"content": "x"}), "content_filter", FinishReason::ContentFilter),
        (json!({"content": "x"}), "length", FinishReason::Length),
        (
            json!({"content": "x"}),
            "insufficient_system_resource",
            FinishReason::Other("insufficient_system_resource".into()),
        ),
    ] {
        assert_eq!(completion(done(&[chunk(delta, None), chunk(json!({}), Some(reason))])).await.finish, expected);
    }
}

#[tokio::test]
async fn an_empty_answer_is_a_stop() {
    assert_eq!(deltas("data: [DONE]\n\n").await, Ok(vec![stop()]));
}

#[tokio::test]
async fn events_that_no_blank_line_separates() {
    let glued: String = [chunk(json!({"content": "a"}), None), chunk(json!({"content": "b"}), Some("stop"))]
        .iter()
        .map(|chunk| format!("data: {chunk}\n"))
        .collect();
    assert_eq!(deltas(glued + "data: [DONE]\n").await, Ok(vec![text("a"), text("b"), stop()]));
}

#[tokio::test]
async fn a_server_that_leaves_the_connection_open_is_not_waited_for() {
    let answer = Answer::events(done(&[chunk(json!({"content": "a"}), Some("stop"))])).linger(Duration::from_secs(30));
    let server = Server::always(answer).await;
    let started = Instant::now();
    assert_eq!(stream(&server.url, &say("m", "hi")).await, Ok(vec![text("a"), stop()]));
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_server_that_ignores_the_wish_for_a_stream() {
    let message = json!({"role": "assistant", "content": null, "reasoning": "hm",
        "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {"x": 1}}}]});
    let body = json!({"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"prompt_tokens": 2, "completion_tokens": 1}});
    let server = Server::always(Answer::json(200, &body)).await;
    let call =
        Delta::ToolCall { index: 0, id: Some("a".into()), name: Some("f".into()), arguments: "{\"x\":1}".into() };
    let usage = Usage { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3, ..Usage::default() };
    assert_eq!(
        stream(&server.url, &say_with_tool("m", "hi")).await,
        Ok(vec![thought("hm"), call, Delta::Usage(usage), Delta::Finish(FinishReason::ToolCalls)])
    );
}

#[tokio::test]
async fn halves_of_characters_and_nul_are_replaced_and_cost_nothing_else() {
    let body = concat!(
        r#"data: {"choices":[{"delta":{"content":"hi \ud83d"}}]}"#,
        "\n\n",
        r#"data: {"choices":[{"delta":{"content":"\ude00 \ud83d\ude00\u0000"}}]}"#,
        "\n\n",
        r#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        "\n\ndata: [DONE]\n\n"
    );
    assert_eq!(deltas(body).await, Ok(vec![text("hi \u{fffd}"), text("\u{fffd} 😀\u{fffd}"), stop()]));
    let call = r#"{"id":"a","function":{"name":"f","arguments":"{\"x\":\"\\u0000\\ud83d\\ud83d\\ude00\"}"}}"#;
    let answer = format!(r#"{{"choices":[{{"message":{{"tool_calls":[{call}]}},"finish_reason":"stop"}}]}}"#);
    let server = Server::always(Answer::new(200, "application/json", "", &answer)).await;
    let provider = provider(ProviderKind::OpenAiCompatible, &server.url);
    let done = client().complete(&provider, &say_with_tool("m", "hi")).await.expect("completion");
    let arguments: serde_json::Value = serde_json::from_str(&done.tool_calls[0].arguments).expect("JSON");
    assert_eq!(arguments, json!({"x": "\u{fffd}\u{fffd}😀"}));
}

#[tokio::test]
async fn a_whole_answer() {
    let message = json!({"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        "tool_calls": [
            {"id": "x", "function": {"name": "f", "arguments": ""}},
            {"id": "x", "function": {"name": "f", "arguments": "{\"x\":"}}]});
    let answer = json!({"choices": [{"message": message, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 0, "completion_tokens": 0}});
    let server = Server::always(Answer::json(200, &answer)).await;
    let provider = provider(ProviderKind::Vllm, &server.url);
    let done = client().complete(&provider, &say_with_tool("m", "hi")).await.expect("completion");
    assert_eq!(done.text.as_deref(), Some("ab"));
    assert_eq!(shown(&done.tool_calls), [("f", "{}"), ("f", "{\"x\":")]);
    assert_ne!(done.tool_calls[0].id, done.tool_calls[1].id);
    assert_eq!(done.usage, None, "zeros mean that nobody counted");
    assert_eq!(done.response_json, answer);
    assert_eq!(done.request_json, server.seen()[0].body);
    assert_eq!(done.request_json["stream"], json!(false));
    assert!(done.ttft.is_some());
    assert_eq!(server.seen()[0].line, "POST /v1/chat/completions HTTP/1.1");
}

#[tokio::test]
async fn calls_and_streams_move_between_threads() {
    let server = Server::always(Answer::events(done(&[chunk(json!({"content": "a"}), Some("stop"))]))).await;
    let (client, provider) = (client(), provider(ProviderKind::OpenAiCompatible, &server.url));
    let task = tokio::spawn(async move {
        let stream = client.stream(&provider, &say("m", "hi")).await?;
        tokio::spawn(stream.into_completion()).await.expect("joins")
    });
    assert_eq!(task.await.expect("joins").map(|done| done.text), Ok(Some("a".to_owned())));
}
