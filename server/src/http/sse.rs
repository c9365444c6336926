//! Turns as streams of server-sent events.
//!
//! Every event is one `data:` line. Text is escaped to ASCII because some clients decode each network chunk by
//! itself and would tear characters apart, and `[DONE]` inside of texts is escaped because others stop reading at it.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::Utc;
use futures::{Stream, StreamExt};
use mneme_core::{CoreError, TurnEvent};
use mneme_domain::{run::StopReason, step::TurnUsage};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::error::{ApiError, failure};

/// What every stream ends with.
pub const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

/// How a stream is to be sent.
#[derive(Debug, Clone)]
pub struct Manner {
    /// Send a ping when nothing else was sent for this long.
    pub ping: Option<Duration>,
    /// How long the first event may take before the answer begins without it. Until then a failure still becomes
    /// the answer's status.
    pub patience: Duration,
    /// The run that the events are of.
    pub run_id: Option<String>,
}

/// Answers with a stream. When it fails at once, the answer is that error and no stream.
pub async fn respond<S>(events: S, manner: Manner) -> Response
where
    S: Stream<Item = TurnEvent> + Send + 'static,
{
    let mut events = Box::pin(events);
    let begun = Instant::now();
    let first = match timeout_at(begun + manner.patience, events.next()).await {
        Ok(Some(TurnEvent::Error(error))) => return ApiError::from(error).into_response(),
        Ok(first) => Some(first),
        Err(_) => None,
    };
    answer(Body::from_stream(frames(events, first, manner).map(Ok::<_, Infallible>)))
}

/// The answer whose body is a stream of events.
pub fn answer(body: Body) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Reverse proxies must not collect events.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// The frames of a stream; `first` is what it has said already, `None` when it has been silent for too long.
fn frames<S>(events: S, first: Option<Option<TurnEvent>>, manner: Manner) -> impl Stream<Item = Bytes>
where
    S: Stream<Item = TurnEvent> + Unpin,
{
    async_stream::stream! {
        let mut events = events;
        let mut next = first;
        if next.is_none() && manner.ping.is_some() {
            yield frame(&ping(manner.run_id.as_deref()));
        }
        loop {
            let event = match next.take() {
                Some(event) => event,
                None => match manner.ping {
                    None => events.next().await,
                    Some(quiet) => match timeout_at(Instant::now() + quiet, events.next()).await {
                        Ok(event) => event,
                        Err(_) => {
                            yield frame(&ping(manner.run_id.as_deref()));
                            continue;
                        }
                    },
                },
            };
            match event {
                None => break,
                Some(TurnEvent::Message(envelope)) => yield frame(&*envelope),
                Some(TurnEvent::Stored(event)) => yield frame(&event),
                Some(TurnEvent::Stop(reason)) => yield frame(&stop(reason)),
                Some(TurnEvent::Usage(usage)) => yield frame(&self::usage(usage)),
                Some(TurnEvent::Error(error)) => yield frame(&error_event(error, manner.run_id.as_deref())),
            }
        }
        yield DONE;
    }
}

/// Why the turn ended, as streams and plain answers show it.
pub fn stop(reason: StopReason) -> Value {
    json!({ "message_type": "stop_reason", "stop_reason": reason })
}

/// What the turn used, as streams and plain answers show it.
pub fn usage(usage: TurnUsage) -> Value {
    json!({
        "message_type": "usage_statistics",
        "completion_tokens": usage.completion_tokens,
        "prompt_tokens": usage.prompt_tokens,
        "total_tokens": usage.total_tokens,
        "step_count": usage.step_count,
        "run_ids": null,
    })
}

#[expect(clippy::disallowed_methods, reason = "a sign of life, made where no services are; nothing is kept of it")]
fn ping(run_id: Option<&str>) -> Value {
    json!({
        "id": format!("ping-{}", uuid::Uuid::new_v4()),
        "date": Utc::now().format("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
        "name": null,
        "message_type": "ping",
        "otid": null,
        "sender_id": null,
        "step_id": null,
        "is_err": null,
        "seq_id": null,
        "run_id": run_id,
    })
}

/// An error in the middle of a stream: `error` is what classic clients look for, the rest is the documented event.
fn error_event(error: CoreError, run_id: Option<&str>) -> Value {
    let failure = failure(&error);
    ApiError::from(error).log();
    json!({
        "message_type": "error_message",
        "run_id": run_id,
        "error_type": failure["type"],
        "message": failure["message"],
        "detail": failure["detail"],
        "error": failure,
    })
}

/// One event: a single line of ASCII, and the blank line that ends it.
pub fn frame<T: Serialize>(event: &T) -> Bytes {
    let text = match serde_json::to_string(event) {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "an event could not be written");
            return Bytes::new();
        }
    };
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str("data: ");
    for c in text.replace("[DONE]", "\\u005bDONE]").chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut units = [0u16; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out.push_str("\n\n");
    Bytes::from(out)
}
