//! What OpenAI's clients get: a completion, or the chunks of one.

use std::{convert::Infallible, time::Duration};

use axum::{
    Json,
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::Utc;
use futures::{Stream, StreamExt};
use mneme_core::{CoreError, TurnEvent, TurnResult};
use mneme_domain::{
    MessageId, RunId,
    content::{Content, text_of},
    envelope::{Body as Shown, Envelope},
    run::StopReason,
    step::TurnUsage,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::http::{ApiError, sse};

/// What every chunk of a completion begins with.
pub struct Head {
    id: String,
    /// Unix time.
    created: i64,
    /// The model behind the agent.
    model: String,
}

impl Head {
    #[expect(clippy::disallowed_methods, reason = "the time of an answer, made where no services are; nothing is kept")]
    pub fn new(run: &RunId, model: String) -> Self {
        Self { id: format!("chatcmpl-{run}"), created: Utc::now().timestamp(), model }
    }

    fn chunk(&self, choices: Value, usage: Value) -> Value {
        json!({
            "id": self.id,
            "choices": choices,
            "created": self.created,
            "model": self.model,
            "object": "chat.completion.chunk",
            "service_tier": null,
            "system_fingerprint": null,
            "usage": usage,
        })
    }

    fn delta(&self, role: Option<&str>, content: Option<&str>, finish: Option<&str>) -> Bytes {
        let delta =
            json!({"content": content, "function_call": null, "refusal": null, "role": role, "tool_calls": null});
        let choice = json!({"delta": delta, "finish_reason": finish, "index": 0, "logprobs": null});
        sse::frame(&self.chunk(json!([choice]), Value::Null))
    }
}

/// The words of the agent in a message, if it is such a message.
fn words(envelope: &Envelope) -> Option<String> {
    match &envelope.body {
        Shown::Assistant { content: Content::Text(text) } => Some(text.clone()),
        Shown::Assistant { content: Content::Parts(parts) } => Some(text_of(parts)),
        _ => None,
    }
}

fn finish(reason: StopReason) -> &'static str {
    match reason {
        StopReason::MaxSteps => "length",
        _ => "stop",
    }
}

fn tokens(usage: TurnUsage) -> Value {
    json!({
        "completion_tokens": usage.completion_tokens,
        "prompt_tokens": usage.prompt_tokens,
        "total_tokens": usage.total_tokens,
    })
}

/// A whole completion.
pub fn whole(head: &Head, turn: &TurnResult) -> Response {
    let text = turn.messages.iter().filter_map(words).collect::<Vec<_>>().join("\n\n");
    let message = json!({"role": "assistant", "content": text, "refusal": null});
    let choice = json!({"index": 0, "message": message, "finish_reason": finish(turn.stop_reason), "logprobs": null});
    let body = json!({
        "id": head.id,
        "object": "chat.completion",
        "created": head.created,
        "model": head.model,
        "choices": [choice],
        "service_tier": null,
        "system_fingerprint": null,
        "usage": tokens(turn.usage),
    });
    Json(body).into_response()
}

/// The chunks of a completion. A turn that fails before its first word is answered with its error's status, unless that
/// takes longer than `patience`.
pub async fn stream<S>(events: S, head: Head, usage: bool, patience: Duration) -> Result<Response, ApiError>
where
    S: Stream<Item = TurnEvent> + Send + Unpin + 'static,
{
    let mut events = events;
    let first = match timeout(patience, events.next()).await {
        Ok(Some(TurnEvent::Error(error))) => return Err(error.into()),
        Ok(first) => first,
        Err(_) => None,
    };
    let rest = futures::stream::iter(first).chain(events);
    Ok(sse::answer(Body::from_stream(chunks(rest, head, usage).map(Ok::<_, Infallible>))))
}

fn chunks<S>(events: S, head: Head, with_usage: bool) -> impl Stream<Item = Bytes>
where
    S: Stream<Item = TurnEvent> + Unpin,
{
    async_stream::stream! {
        let mut events = events;
        let mut role = Some("assistant");
        let mut speaking: Option<MessageId> = None;
        while let Some(event) = events.next().await {
            match event {
                TurnEvent::Message(envelope) => {
                    let Some(text) = words(&envelope) else { continue };
                    // What the agent said between tool calls and what it says after them are paragraphs of one answer.
                    if speaking.as_ref().is_some_and(|id| *id != envelope.id) {
                        yield head.delta(None, Some("\n\n"), None);
                    }
                    speaking = Some(envelope.id.clone());
                    yield head.delta(role.take(), Some(&text), None);
                }
                TurnEvent::Stop(reason) => yield head.delta(role.take(), None, Some(finish(reason))),
                TurnEvent::Usage(usage) if with_usage => {
                    yield sse::frame(&head.chunk(json!([]), tokens(usage)));
                }
                TurnEvent::Usage(_) | TurnEvent::Stored(_) => {}
                TurnEvent::Error(error) => yield sse::frame(&failed(error)),
            }
        }
        yield sse::DONE;
    }
}

/// An error in the middle of a stream, as OpenAI's clients recognise it.
fn failed(error: CoreError) -> Value {
    let failure = crate::http::error::failure(&error);
    ApiError::from(error).log();
    json!({"error": {"message": failure["message"], "type": failure["type"], "param": null, "code": failure["type"]}})
}
