//! What goes wrong, how it is named, and when it is tried again.

use std::time::Duration;

use futures::StreamExt;
use mneme_llm::{Limits, LlmError, Phase, ProviderKind, Timeouts};
use serde_json::{Value, json};

use crate::{
    client, client_with, provider, say, say_with_tool,
    server::{Answer, Server},
    stream, text,
};

const HELLO: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"hello\"}}]}\n\n";
const END: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

fn good() -> Answer {
    Answer::events(format!("{HELLO}{END}"))
}

fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"error": {"message": message}}))
}

/// Runs a call against these answers: its outcome, and how many requests it took.
async fn outcome(answers: Vec<Answer>) -> (Result<usize, LlmError>, usize) {
    let server = Server::start(answers).await;
    let result = stream(&server.url, &say("m", "hi")).await.map(|deltas| deltas.len());
    (result, server.seen().len())
}

fn kind(result: &Result<usize, LlmError>) -> &'static str {
    result.as_ref().map_or_else(LlmError::kind, |_| "ok")
}

#[tokio::test]
async fn failures_before_the_first_delta_are_retried_when_they_may_pass() {
    for status in [408, 409, 500, 502, 503, 504, 529] {
        let (result, requests) = outcome(vec![error(status, "later"), error(status, "later"), good()]).await;
        assert_eq!((result, requests), (Ok(2), 3), "{status}");
        let (result, requests) = outcome(vec![error(status, "never")]).await;
        let error = result.expect_err("fails");
        assert_eq!((error.status(), error.to_string().as_str(), requests), (Some(status), "never", 3), "{status}");
    }
    for first in [
        Answer::hang_up(),
        Answer::events(""),
        Answer::events(": ping\n\n"),
        Answer::events("data: {\"error\":{\"message\":\"busy\",\"type\":\"overloaded_error\"}}\n\n"),
        Answer::events("event: error\ndata: {\"message\":\"crash\",\"type\":\"server_error\"}\n\n"),
        Answer::json(200, &json!({"error": {"message": "crash", "code": 500}})),
        Answer::json(
            200,
            &json!({"choices": [{"error": {"message": "crash", "code": 502}, "finish_reason": "error",
                "message": {"content": ""}}]}),
        ),
        Answer::json(200, &json!({"choices": [{"finish_reason": "error", "message": {"content": ""}}]})),
        Answer::events("data: {\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}\n\n"),
    ] {
        assert_eq!(outcome(vec![first, good()]).await, (Ok(2), 2));
    }
}

#[tokio::test]
async fn failures_of_the_request_are_not_retried() {
    for (status, expected) in [
        (400, "bad_request"),
        (401, "authentication"),
        (403, "authentication"),
        (404, "not_found"),
        (413, "context_overflow"),
        (422, "bad_request"),
        (429, "rate_limit"),
        (301, "bad_request"),
    ] {
        let (result, requests) = outcome(vec![error(status, "no"), good()]).await;
        assert_eq!((kind(&result), requests), (expected, 1), "{status}");
        assert_eq!(result.expect_err("fails").status(), Some(status));
    }
}

#[tokio::test]
async fn a_rate_limit_is_retried_once_when_the_wait_is_short() {
    let limited = |headers: &str| Answer::new(429, "application/json", headers, "{\"error\":{\"message\":\"slow\"}}");
    assert_eq!(outcome(vec![limited("retry-after: 1\r\n"), good()]).await, (Ok(2), 2));
    assert_eq!(outcome(vec![limited("retry-after-ms: 5\r\n"), good()]).await, (Ok(2), 2));
    let (result, requests) = outcome(vec![limited("retry-after-ms: 5\r\n")]).await;
    assert_eq!((kind(&result), requests), ("rate_limit", 2));
    let (result, requests) = outcome(vec![limited("retry-after: 60\r\n"), good()]).await;
    let error = result.expect_err("limited");
    assert_eq!((error.retry_after(), requests), (Some(Duration::from_secs(60)), 1));
}

#[tokio::test]
async fn answers_that_make_no_sense_are_malformed() {
    for answer in [
        Answer::new(200, "text/html", "", "<html>sign in</html>"),
        Answer::new(200, "application/json", "", "<html>not json"),
        Answer::events("data: <html>\n\n"),
        Answer::json(200, &json!({"choices": []})),
        Answer::json(200, &json!({"choices": [{"finish_reason": "stop"}]})),
    ] {
        let (result, requests) = outcome(vec![answer, good()]).await;
        assert_eq!((kind(&result), requests), ("malformed", 1));
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_malformed_unless_the_model_was_done() {
    for broken in [HELLO.to_owned(), format!("{HELLO}data: {{\"choi"), format!("{HELLO}data: {{\"choices\":[]}}\n\n")] {
        let (result, requests) = outcome(vec![Answer::events(broken)]).await;
        assert_eq!((kind(&result), requests), ("malformed", 1), "what was delivered cannot be taken back");
    }
    let chunked = "HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let framed = |body: &str| format!("{chunked}{:x}\r\n{body}\r\n", body.len());
    let (result, _) = outcome(vec![Answer::default().piece(framed(HELLO))]).await;
    assert_eq!(kind(&result), "malformed");
    let finished = format!("{HELLO}{}", END.replace("data: [DONE]\n\n", ""));
    assert_eq!(outcome(vec![Answer::default().piece(framed(&finished))]).await, (Ok(2), 1));
}

#[tokio::test]
async fn an_error_in_the_middle_is_the_last_item_of_the_stream() {
    let body = format!("{HELLO}data: {{\"error\":{{\"message\":\"boom sk-test-0123456789\",\"code\":502}}}}\n\n{END}");
    let server = Server::always(Answer::events(body)).await;
    let provider = provider(ProviderKind::OpenAiCompatible, &server.url);
    let items: Vec<_> = client().stream(&provider, &say("m", "hi")).await.expect("stream").collect().await;
    let boom = LlmError::Server { message: "boom [redacted]".into(), status: 502 };
    assert_eq!(items, [Ok(text("hello")), Err(boom)]);
}

#[tokio::test]
async fn an_answer_that_ends_in_an_error_is_no_answer() {
    let choice = json!({"delta": {"content": ""}, "finish_reason": "error", "error": {"message": "gone", "code": 502}});
    let server =
        Server::always(Answer::events(format!("{HELLO}data: {}\n\n{END}", json!({"choices": [choice]})))).await;
    let provider = crate::provider(ProviderKind::OpenAiCompatible, &server.url);
    let items: Vec<_> = client().stream(&provider, &say("m", "hi")).await.expect("stream").collect().await;
    assert_eq!(items, [Ok(text("hello")), Err(LlmError::Server { message: "gone".into(), status: 502 })]);
    let message = json!({"finish_reason": "error", "message": {"content": "hel"}});
    let server = Server::always(Answer::json(200, &json!({"choices": [message]}))).await;
    let provider = crate::provider(ProviderKind::OpenAiCompatible, &server.url);
    let failure = client().complete(&provider, &say("m", "hi")).await.expect_err("fails");
    assert_eq!((failure.kind(), failure.status()), ("server", Some(502)));
}

#[tokio::test]
async fn the_error_lines_of_llama_cpp() {
    let body = "error: {\"code\":400,\"message\":\"the request exceeds the available context size\",\"type\":\"exceed_context_size_error\"}\n\n";
    let (result, requests) = outcome(vec![Answer::events(body)]).await;
    assert_eq!((kind(&result), requests), ("context_overflow", 1));
}

#[tokio::test]
async fn every_phase_has_its_limit() {
    let short = Duration::from_millis(150);
    let long = Duration::from_secs(20);
    let limits = Timeouts { connect: long, first_byte: long, idle: long, total: long };
    let silent = || Answer::default().linger(long);
    let mute = || Answer::new(200, "text/event-stream", "", "").linger(long);
    let stuck = || Answer::events(HELLO).linger(long);
    let trickle = || (0..100).fold(Answer::events(HELLO), |answer, _| answer.after(short / 3, ": ping\n\n"));
    for (answer, timeouts, phase) in [
        (silent(), Timeouts { first_byte: short, ..limits }, Phase::FirstByte),
        (mute(), Timeouts { first_byte: short, ..limits }, Phase::FirstByte),
        (stuck(), Timeouts { idle: short, ..limits }, Phase::Idle),
        (trickle(), Timeouts { total: short * 2, idle: short, ..limits }, Phase::Total),
        (silent(), Timeouts { total: short, ..limits }, Phase::Total),
    ] {
        let server = Server::always(answer).await;
        let provider = provider(ProviderKind::OpenAiCompatible, &server.url);
        let failure = match client_with(timeouts).stream(&provider, &say("m", "hi")).await {
            Ok(stream) => stream.into_completion().await.expect_err("times out"),
            Err(failure) => failure,
        };
        assert_eq!((failure, server.seen().len()), (LlmError::Timeout { phase }, 1));
    }
}

#[tokio::test]
async fn a_closed_port_is_a_connection_error_without_the_url() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let url = format!("http://{}/secret-path", listener.local_addr().expect("address"));
    drop(listener);
    let failure = stream(&url, &say("m", "hi")).await.expect_err("nobody listens");
    assert_eq!(failure.kind(), "connection");
    assert!(!failure.to_string().contains("secret-path"), "{failure}");
}

#[tokio::test]
async fn answers_beyond_the_limits_are_malformed() {
    let client = client().with_limits(Limits { line_bytes: 10_000, answer_bytes: 50_000 });
    let huge_line = format!("data: {}", "x".repeat(20_000));
    let huge_answer = HELLO.repeat(2000);
    for body in [huge_line, huge_answer] {
        let server = Server::always(Answer::events(body)).await;
        let stream = client.stream(&provider(ProviderKind::OpenAiCompatible, &server.url), &say("m", "hi")).await;
        let failure = match stream {
            Ok(stream) => stream.into_completion().await.expect_err("too large"),
            Err(failure) => failure,
        };
        assert_eq!(failure.kind(), "malformed");
    }
    let server = Server::always(Answer::json(200, &json!({"choices": [], "x": "y".repeat(60_000)}))).await;
    let whole = client.complete(&provider(ProviderKind::OpenAiCompatible, &server.url), &say("m", "hi")).await;
    assert_eq!(whole.expect_err("too large").kind(), "malformed");
}

#[tokio::test]
async fn refused_parameters_are_left_out_and_stay_out() {
    let refuse = |name: &str| error(400, &format!("Unrecognized request argument supplied: {name}"));
    let server = Server::start(vec![refuse("parallel_tool_calls"), refuse("stream_options"), good()]).await;
    let provider = provider(ProviderKind::OpenAiCompatible, &server.url);
    let mut request = say_with_tool("m", "hi");
    request.params.parallel_tool_calls = Some(true);
    let client = client();
    let stream = client.stream(&provider, &request).await.expect("stream");
    let has = |body: &Value, key: &str| body.get(key).is_some();
    let keys: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| (has(&seen.body, "parallel_tool_calls"), has(&seen.body, "stream_options")))
        .collect();
    assert_eq!(keys, [(true, true), (false, true), (false, false)]);
    assert_eq!(*stream.request_json(), server.seen()[2].body, "the trace shows what got through");
    client.stream(&provider, &request).await.expect("stream");
    assert_eq!(server.seen().len(), 4, "the second call knows");
    let (result, requests) = outcome(vec![refuse("stream_options")]).await;
    assert_eq!((kind(&result), requests), ("bad_request", 2), "a parameter is left out once");
}

#[tokio::test]
async fn dropping_the_stream_closes_the_connection() {
    let answer = (0..400).fold(Answer::events(HELLO), |answer, _| answer.after(Duration::from_millis(20), HELLO));
    let server = Server::always(answer).await;
    let stream = client().stream(&provider(ProviderKind::OpenAiCompatible, &server.url), &say("m", "hi")).await;
    drop(stream.expect("stream"));
    // The server would need eight seconds; it must notice long before that nobody reads.
    tokio::time::timeout(Duration::from_secs(5), server.idle()).await.expect("the server is left alone");
}
