//! The provider's routes.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response, StatusCode};
use serde_json::json;

use super::request::{Chat, Wish};
use super::wire::{self, Message};
use super::{FIRST_TOKEN, MODELS, NEXT_TOKEN, State};

type Body = BoxBody<Bytes, Infallible>;

/// What the slow model says, a token each.
const SLOW_WORDS: [&str; 10] = ["all", " of", " this", " comes", " slowly", ",", " word", " by", " word", "."];

/// Answers one request.
pub async fn answer(state: &Arc<State>, request: Request<Incoming>, arrived: Instant) -> hyper::Result<Response<Body>> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    Ok(match path.as_str() {
        "/v1/chat/completions" => match Chat::read(&body) {
            Ok(chat) => {
                state.chats.fetch_add(1, Ordering::Relaxed);
                // A token for every four bytes.
                let prompt = body.len() as u64 / 4;
                chat_answer(state, &chat, prompt, arrived).await
            }
            Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        "/v1/embeddings" => match state.vectors.respond(&body) {
            Ok(vectors) => whole("application/json", vectors),
            Err(error) => refused(StatusCode::BAD_REQUEST, &error.to_string()),
        },
        "/v1/models" => {
            let models = MODELS.map(|id| json!({"id": id, "object": "model", "created": 1, "owned_by": "bench"}));
            whole("application/json", json!({"object": "list", "data": models}).to_string())
        }
        other => refused(StatusCode::NOT_FOUND, other),
    })
}

async fn chat_answer(state: &Arc<State>, chat: &Chat<'_>, prompt: u64, arrived: Instant) -> Response<Body> {
    let id = state.next_id.fetch_add(1, Ordering::Relaxed);
    let wish = chat.wish();
    let message = match &wish {
        Wish::Text => Message::Text(vec!["ok"]),
        Wish::SlowText => Message::Text(SLOW_WORDS.to_vec()),
        Wish::Replace { old, new } => Message::Call {
            name: "memory_replace",
            arguments: json!({"label": "human", "old_str": old, "new_str": new}).to_string(),
        },
        Wish::Grep { word } => Message::Call { name: "grep_files", arguments: json!({"pattern": word}).to_string() },
    };
    match (chat.stream, wish) {
        (true, Wish::SlowText) => {
            let events = wire::events(&message, id, prompt);
            slow_stream(Arc::clone(state), events, arrived)
        }
        (true, _) => whole("text/event-stream", wire::events(&message, id, prompt).concat()),
        (false, wish) => {
            if wish == Wish::SlowText {
                tokio::time::sleep(FIRST_TOKEN + NEXT_TOKEN * SLOW_WORDS.len() as u32).await;
                note_held(state, arrived.elapsed());
            }
            whole("application/json", wire::completion(&message, id, prompt))
        }
    }
}

/// The head at once, the first event after [`FIRST_TOKEN`], every other one after [`NEXT_TOKEN`]: a server that
/// waits for the end of the answer cannot hide it.
fn slow_stream(state: Arc<State>, events: Vec<String>, arrived: Instant) -> Response<Body> {
    let start = (events.into_iter().enumerate(), state);
    let body = stream::unfold(start, move |(mut events, state)| async move {
        let (index, event) = events.next()?;
        tokio::time::sleep(if index == 0 { FIRST_TOKEN } else { NEXT_TOKEN }).await;
        if index == 0 {
            note_held(&state, arrived.elapsed());
        }
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(event))), (events, state)))
    });
    typed("text/event-stream", BoxBody::new(StreamBody::new(body)))
}

fn note_held(state: &State, held: Duration) {
    state.held.store(held.as_nanos() as u64, Ordering::Release);
}

fn whole(kind: &'static str, text: String) -> Response<Body> {
    typed(kind, Full::new(Bytes::from(text)).boxed())
}

fn typed(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    response
}

fn refused(status: StatusCode, why: &str) -> Response<Body> {
    let body = json!({"error": {"message": why, "type": "invalid_request_error"}}).to_string();
    let mut response = whole("application/json", body);
    *response.status_mut() = status;
    response
}
