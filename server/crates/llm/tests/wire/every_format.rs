//! What every provider's format has to survive alike: failures, answers that are something else, streams that are cut
//! off or damaged anywhere.

use std::{collections::BTreeSet, time::Duration};

use mneme_llm::{Assembler, Delta, LlmError, ProviderKind};
use serde_json::json;

use crate::{
    bedrock::{FRAMES, frame},
    client, provider, say, say_with_tool,
    server::{Answer, Server},
    stream_from, typed_events,
};

/// A provider's format: who speaks it, a model of theirs, and a stream with a text and a tool call.
struct Format {
    kind: ProviderKind,
    model: &'static str,
    content_type: &'static str,
    events: Vec<Vec<u8>>,
}

fn formats() -> Vec<Format> {
    let chat = [
        json!({"choices": [{"delta": {"content": "hello"}}]}),
        json!({"choices": [{"delta": {"tool_calls": [
            {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"x\""}}]}}]}),
        json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}}]}),
        json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}),
    ];
    let anthropic = [
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 10, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block":
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}}),
        json!({"type": "content_block_delta", "index": 1, "delta":
            {"type": "input_json_delta", "partial_json": "{\"x\":1}"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ];
    let gemini = [
        json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}, "index": 0}]}),
        json!({"candidates": [{"content": {"role": "model", "parts": [
            {"functionCall": {"name": "f", "args": {"x": 1}}}]}, "index": 0, "finishReason": "STOP"}]}),
    ];
    let call = json!({"type": "function_call", "id": "fc", "call_id": "call_1", "name": "f", "arguments": "{\"x\":1}"});
    let said = json!({"type": "message", "id": "m", "content": [{"type": "output_text", "text": "hello"}]});
    let responses = [
        json!({"type": "response.created", "response": {"object": "response", "status": "in_progress"}}),
        json!({"type": "response.output_text.delta", "output_index": 0, "delta": "hello"}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": said}),
        json!({"type": "response.output_item.added", "output_index": 1, "item":
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": ""}}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{\"x\":1}"}),
        json!({"type": "response.output_item.done", "output_index": 1, "item": call}),
        json!({"type": "response.completed", "response":
            {"object": "response", "status": "completed", "output": [said, call]}}),
    ];
    let converse = [
        ("messageStart", json!({"role": "assistant"})),
        ("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "hello"}})),
        ("contentBlockStop", json!({"contentBlockIndex": 0})),
        (
            "contentBlockStart",
            json!({"contentBlockIndex": 1, "start":
            {"toolUse": {"toolUseId": "tooluse_1", "name": "f"}}}),
        ),
        ("contentBlockDelta", json!({"contentBlockIndex": 1, "delta": {"toolUse": {"input": "{\"x\":"}}})),
        ("contentBlockDelta", json!({"contentBlockIndex": 1, "delta": {"toolUse": {"input": "1}"}}})),
        ("contentBlockStop", json!({"contentBlockIndex": 1})),
        ("messageStop", json!({"stopReason": "tool_use"})),
    ];
    let untyped =
        |chunks: &[serde_json::Value]| -> String { chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect() };
    let format = |kind, model, good: String| Format {
        kind,
        model,
        content_type: "text/event-stream",
        events: good.split_inclusive("\n\n").map(|event| event.as_bytes().to_vec()).collect(),
    };
    vec![
        format(ProviderKind::OpenAiCompatible, "m", untyped(&chat)),
        format(ProviderKind::Azure, "my-deployment", untyped(&chat)),
        format(ProviderKind::Mistral, "mistral-large-latest", untyped(&chat)),
        format(ProviderKind::Anthropic, "claude-sonnet-4-20250514", typed_events(&anthropic)),
        format(ProviderKind::Gemini, "gemini-2.5-flash", untyped(&gemini)),
        format(ProviderKind::Vertex, "gemini-2.5-flash", untyped(&gemini)),
        format(ProviderKind::Vertex, "claude-sonnet-4@20250514", typed_events(&anthropic)),
        format(ProviderKind::OpenAi, "gpt-5-mini", typed_events(&responses)),
        Format {
            kind: ProviderKind::Bedrock,
            model: "us.anthropic.claude-sonnet-4-20250514-v1:0",
            content_type: FRAMES,
            events: converse.iter().map(|(kind, payload)| frame(kind, payload)).collect(),
        },
    ]
}

impl Format {
    fn good(&self) -> Vec<u8> {
        self.events.concat()
    }

    /// A stream of these bytes.
    fn bytes(&self, bytes: impl AsRef<[u8]>) -> Answer {
        Answer::new(200, self.content_type, "", bytes)
    }

    /// Streams a call that is answered with this, which must come to an end.
    async fn outcome(&self, answer: Answer) -> Result<Vec<Delta>, LlmError> {
        let server = Server::always(answer).await;
        let provider = provider(self.kind, &server.url);
        let request = say_with_tool(self.model, "hi");
        let streamed = tokio::time::timeout(Duration::from_secs(60), stream_from(&provider, &request));
        streamed.await.expect("an outcome")
    }

    async fn whole(&self) -> Vec<Delta> {
        self.outcome(self.bytes(self.good())).await.expect("the undamaged stream")
    }
}

#[tokio::test]
async fn a_failure_has_its_name_in_every_format() {
    for format in formats() {
        for status in [500, 502, 503, 529, 429, 401, 404] {
            let body = json!({"error": {"type": "some_error", "message": "no luck"}, "type": "error"});
            let error = format.outcome(Answer::json(status, &body)).await.expect_err("fails");
            assert_eq!(error.status(), Some(status), "{:?}: {error:?}", format.kind);
            let unreadable = Answer::new(status, "text/html", "", "<html><body>gateway</body></html>");
            let error = format.outcome(unreadable).await.expect_err("fails");
            assert_eq!(error.status(), Some(status), "{:?}: {error:?}", format.kind);
        }
        let elsewhere = Answer::new(200, "text/html", "", "<html>sign in</html>");
        for (answer, expected) in [
            (Answer::hang_up(), "connection"),
            (elsewhere, "malformed"),
            (Answer::json(200, &json!({})), "malformed"),
            (Answer::json(200, &json!([1, null])), "malformed"),
            (Answer::events(""), "malformed"),
            (Answer::events("data: [1]\n\n"), "malformed"),
            (Answer::events("data: <html>\n\n"), "malformed"),
            (Answer::events([0xff, 0xfe, 0, b'\n', b'\n']), "malformed"),
        ] {
            let outcome = format.outcome(answer).await;
            let kind = outcome.as_ref().map_or_else(LlmError::kind, |_| "ok");
            assert_eq!(kind, expected, "{:?}: {outcome:?}", format.kind);
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_off_is_never_taken_for_a_whole_one() {
    for format in formats() {
        let whole = format.whole().await;
        assert!(whole.iter().any(|delta| matches!(delta, Delta::ToolCall { .. })), "{whole:?}");
        for cut in (0..format.good().len()).step_by(7) {
            match format.outcome(format.bytes(&format.good()[..cut])).await {
                Ok(deltas) => assert_eq!(deltas, whole, "{:?} cut at {cut}", format.kind),
                Err(error) => assert_eq!(error.kind(), "malformed", "{:?} cut at {cut}: {error:?}", format.kind),
            }
        }
    }
}

/// Whatever came, its calls can be told apart and answered one by one.
fn check(outcome: Result<Vec<Delta>, LlmError>, what: &str) {
    let Ok(deltas) = outcome else { return };
    let mut assembler = Assembler::new();
    deltas.into_iter().for_each(|delta| assembler.push(delta));
    let calls = assembler.finish().tool_calls;
    let ids: BTreeSet<&str> = calls.iter().map(|call| call.id.as_str()).collect();
    assert_eq!(ids.len(), calls.len(), "{what}: {calls:?}");
    assert!(!ids.contains("") && calls.iter().all(|call| !call.name.is_empty()), "{what}: {calls:?}");
}

#[tokio::test]
async fn damaged_streams_come_to_an_end_and_their_calls_stay_apart() {
    for format in formats() {
        let events = &format.events;
        for at in 0..events.len() {
            let mut missing = events.clone();
            missing.remove(at);
            let mut twice = events.clone();
            twice.insert(at, events[at].clone());
            let mut late = events.clone();
            let moved = late.remove(at);
            late.push(moved);
            for (damage, events) in [("missing", missing), ("twice", twice), ("late", late)] {
                let outcome = format.outcome(format.bytes(events.concat())).await;
                check(outcome, &format!("{:?}, event {at} {damage}", format.kind));
            }
        }
        for at in (0..format.good().len()).step_by(23) {
            for byte in [b'"', b'}', b'\n', b'9', 0xff] {
                let mut bytes = format.good();
                bytes[at] = byte;
                let outcome = format.outcome(format.bytes(bytes)).await;
                check(outcome, &format!("{:?}, byte {at} is {byte}", format.kind));
            }
        }
    }
}

#[tokio::test]
async fn counts_that_cannot_be_true_are_cut_and_can_be_added_up() {
    let (all, most) = (u64::MAX, u64::from(u32::MAX));
    let chat = json!({"choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": all, "completion_tokens": all, "prompt_tokens_details": {"cached_tokens": all}}});
    let anthropic = json!({"type": "message", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": all, "cache_creation_input_tokens": all, "cache_read_input_tokens": all,
            "output_tokens": all}});
    let said = json!({"type": "message", "id": "m", "content": [{"type": "output_text", "text": "hi"}]});
    let responses = json!({"object": "response", "status": "completed", "output": [said],
        "usage": {"input_tokens": all, "output_tokens": all}});
    let candidate =
        json!({"content": {"role": "model", "parts": [{"text": "hi"}]}, "index": 0, "finishReason": "STOP"});
    let gemini = json!({"candidates": [candidate], "usageMetadata":
        {"promptTokenCount": all, "candidatesTokenCount": all, "thoughtsTokenCount": all}});
    let converse = json!({"output": {"message": {"role": "assistant", "content": [{"text": "hi"}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": all, "outputTokens": all, "cacheReadInputTokens": all,
            "cacheWriteInputTokens": all}});
    for (kind, model, body, prompt, completion) in [
        (ProviderKind::OpenAiCompatible, "m", chat, most, most),
        (ProviderKind::Anthropic, "claude-sonnet-4-20250514", anthropic, 3 * most, most),
        (ProviderKind::OpenAi, "gpt-5-mini", responses, most, most),
        (ProviderKind::Gemini, "gemini-2.5-flash", gemini, most, 2 * most),
        (ProviderKind::Bedrock, "us.anthropic.claude-sonnet-4-20250514-v1:0", converse, 3 * most, most),
    ] {
        let server = Server::always(Answer::json(200, &body)).await;
        let done = client().complete(&provider(kind, &server.url), &say(model, "hi")).await.expect("an answer");
        let usage = done.usage.expect("usage");
        assert_eq!((usage.prompt_tokens, usage.completion_tokens), (prompt, completion), "{kind:?}");
        assert_eq!(usage.total_tokens, prompt + completion, "{kind:?}");
    }
}
