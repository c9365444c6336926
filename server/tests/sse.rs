//! How a turn's events look on the wire.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use axum::response::Response;
use futures::{Stream, StreamExt, stream};
use http_body_util::BodyExt;
use mneme::http::sse::{Manner, frame, respond};
use mneme_core::{CoreError, LlmFailure, TurnEvent};
use mneme_domain::{
    MessageId,
    content::Content,
    envelope::{Body, Envelope, MessageType},
    run::StopReason,
    step::TurnUsage,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

fn message(text: &str) -> TurnEvent {
    TurnEvent::Message(Box::new(Envelope {
        id: MessageId::trusted("message-777f3769-4b34-4b27-9c3b-a3a6741257a8".into()),
        date: "2026-11-23T14:50:53Z".parse().unwrap(),
        name: None,
        message_type: MessageType::AssistantMessage,
        otid: Some("777f3769-4b34-4b27-9c3b-a3a674125780".into()),
        sender_id: None,
        step_id: None,
        is_err: None,
        seq_id: None,
        run_id: None,
        body: Body::Assistant { content: Content::Text(text.into()) },
    }))
}

fn end() -> [TurnEvent; 2] {
    let usage = TurnUsage { prompt_tokens: 1760, completion_tokens: 4, total_tokens: 1764, step_count: 1 };
    [TurnEvent::Stop(StopReason::EndTurn), TurnEvent::Usage(usage)]
}

fn failure() -> CoreError {
    CoreError::Llm(LlmFailure {
        status: 429,
        kind: "llm_rate_limit",
        message: "The model provider's rate limit was reached.",
        detail: "Error code: 429 - slow down".into(),
        retry_after: None,
    })
}

fn manner() -> Manner {
    Manner { ping: None, patience: Duration::from_secs(30), run_id: Some("run-1".into()) }
}

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The events of a stream; each must be one `data:` line followed by a blank one.
fn events(text: &str) -> Vec<Value> {
    let frames = text.strip_suffix("\n\n").unwrap().split("\n\n");
    let data = frames.map(|frame| frame.strip_prefix("data: ").unwrap_or_else(|| panic!("{frame}")));
    data.map(|data| if data == "[DONE]" { json!("[DONE]") } else { serde_json::from_str(data).unwrap() }).collect()
}

#[tokio::test]
async fn a_turn_is_messages_then_its_end() {
    let turn = stream::iter([message("echo: hello")].into_iter().chain(end()));
    let response = respond(turn, manner()).await;
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(
        text(response).await,
        "data: {\"id\":\"message-777f3769-4b34-4b27-9c3b-a3a6741257a8\",\"date\":\"2026-11-23T14:50:53+00:00\",\
         \"name\":null,\"message_type\":\"assistant_message\",\"otid\":\"777f3769-4b34-4b27-9c3b-a3a674125780\",\
         \"sender_id\":null,\"step_id\":null,\"is_err\":null,\"seq_id\":null,\"run_id\":null,\
         \"content\":\"echo: hello\"}\n\n\
         data: {\"message_type\":\"stop_reason\",\"stop_reason\":\"end_turn\"}\n\n\
         data: {\"message_type\":\"usage_statistics\",\"completion_tokens\":4,\"prompt_tokens\":1760,\
         \"total_tokens\":1764,\"step_count\":1,\"run_ids\":null}\n\n\
         data: [DONE]\n\n"
    );
}

#[tokio::test]
async fn texts_stay_on_their_line_and_in_ascii() {
    let odd = "one\ntwo\r\n\ndata: three\u{2028} [DONE] caf\u{e9} \u{1f600} \u{0}";
    let sent = text(respond(stream::iter([message(odd)]), manner()).await).await;
    assert!(sent.is_ascii());
    assert_eq!(sent.matches("[DONE]").count(), 1, "only the end says so: {sent}");
    assert_eq!(sent.matches('\n').count(), 4);
    assert_eq!(events(&sent)[0]["content"], odd);
}

proptest::proptest! {
    /// Whatever a text holds, its frame is one line of ASCII that says the same.
    #[test]
    fn any_text_survives_its_frame(text in "\\PC*|(?s).*|(\\[DONE\\]|data: |\n)*") {
        let sent = frame(&json!({ "content": text }));
        let sent = std::str::from_utf8(&sent).unwrap();
        assert!(sent.is_ascii() && !sent.contains("[DONE]") && sent.matches('\n').count() == 2, "{sent}");
        assert_eq!(events(sent)[0]["content"], text);
    }
}

#[tokio::test]
async fn a_turn_that_fails_at_once_is_an_http_error() {
    let response = respond(stream::iter([TurnEvent::Error(failure())]), manner()).await;
    assert_eq!(response.status().as_u16(), 429);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["x-should-retry"], "false");
    let body: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(
        body,
        json!({ "error": {
        "type": "llm_rate_limit",
        "message": "The model provider's rate limit was reached.",
        "detail": "Error code: 429 - slow down",
    } })
    );
}

#[tokio::test]
async fn a_later_failure_is_an_event() {
    let turn = stream::iter([message("half"), TurnEvent::Error(failure()), TurnEvent::Stop(StopReason::LlmApiError)]);
    let response = respond(turn, manner()).await;
    assert_eq!(response.status().as_u16(), 200);
    let events = events(&text(response).await);
    assert_eq!(
        events[1],
        json!({
            "message_type": "error_message",
            "run_id": "run-1",
            "error_type": "llm_rate_limit",
            "message": "The model provider's rate limit was reached.",
            "detail": "Error code: 429 - slow down",
            "error": {
                "type": "llm_rate_limit",
                "message": "The model provider's rate limit was reached.",
                "detail": "Error code: 429 - slow down",
            },
        })
    );
    assert_eq!(events[2]["stop_reason"], "llm_api_error");
    assert_eq!(events[3], "[DONE]");
}

#[tokio::test]
async fn an_internal_failure_tells_nothing() {
    let secret = || TurnEvent::Error(CoreError::Internal("canary: password of the database".into()));
    let at_once = respond(stream::iter([secret()]), manner()).await;
    assert_eq!(at_once.status().as_u16(), 500);
    assert_eq!(text(at_once).await, r#"{"detail":"An internal server error occurred"}"#);
    let later = text(respond(stream::iter([message("x"), secret()]), manner()).await).await;
    assert!(!later.contains("canary") && later.contains("internal_error"), "{later}");
}

/// A turn whose events the test sends one by one.
fn by_hand() -> (mpsc::Sender<TurnEvent>, impl Stream<Item = TurnEvent> + Send + Unpin + 'static) {
    let (sender, receiver) = mpsc::channel(1);
    let turn = stream::unfold(receiver, |mut receiver: mpsc::Receiver<TurnEvent>| async {
        receiver.recv().await.map(|event| (event, receiver))
    });
    (sender, Box::pin(turn))
}

#[tokio::test]
async fn a_silent_stream_pings_those_who_asked() {
    let (sender, turn) = by_hand();
    let soon = Duration::from_millis(5);
    let response = respond(turn, Manner { ping: Some(soon), patience: soon, ..manner() }).await;
    let mut frames = response.into_body().into_data_stream();
    let mut next = async || events(std::str::from_utf8(&frames.next().await.unwrap().unwrap()).unwrap()).remove(0);
    for _ in 0..3 {
        let ping = next().await;
        assert!(ping["id"].as_str().unwrap().starts_with("ping-"), "{ping}");
        assert_eq!((&ping["message_type"], &ping["run_id"]), (&json!("ping"), &json!("run-1")));
        let keys: Vec<_> = ping.as_object().unwrap().keys().cloned().collect();
        let head = ["id", "date", "name", "message_type", "otid", "sender_id", "step_id", "is_err", "seq_id", "run_id"];
        assert_eq!(keys, head);
    }
    sender.send(message("at last")).await.unwrap();
    drop(sender);
    let mut event = next().await;
    while event["message_type"] == "ping" {
        event = next().await;
    }
    assert_eq!(event["content"], "at last");
    assert_eq!(next().await, "[DONE]");
}

#[tokio::test]
async fn an_answer_begins_before_a_slow_first_event_and_pings_nobody_unasked() {
    let (sender, turn) = by_hand();
    let response = respond(turn, Manner { patience: Duration::from_millis(5), ..manner() }).await;
    assert_eq!(response.status().as_u16(), 200);
    sender.send(message("late")).await.unwrap();
    drop(sender);
    let events = events(&text(response).await);
    assert_eq!((events.len(), &events[0]["content"]), (2, &json!("late")));
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_turn() {
    let (sender, turn) = by_hand();
    sender.send(message("one")).await.unwrap();
    let mut body = respond(turn, manner()).await.into_body().into_data_stream();
    assert!(body.next().await.unwrap().unwrap().starts_with(b"data: "));
    drop(body);
    sender.closed().await;
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_the_turn_back() {
    let (sender, turn) = by_hand();
    sender.send(message("one")).await.unwrap();
    let response = respond(turn, manner()).await;
    sender.send(message("two")).await.unwrap();
    assert!(sender.try_send(message("three")).is_err(), "nothing is taken that nobody reads");
    drop(response);
}
