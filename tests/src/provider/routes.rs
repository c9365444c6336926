//! The provider's HTTP surface: model list, chat completions, embeddings.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State as Extract};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::{Value, json};

use super::batches;
use super::embedding;
use super::reply::{Http, Kind, Reply};
use super::state::{Guard, Recorded, State};
use super::wire;

/// Chat requests carry whole conversations; tests of size limits need room too.
pub(super) const BODY_LIMIT: usize = 64 * 1024 * 1024;

pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/v1/models", get(models))
        .route("/v1/chat/completions", post(chat))
        // Anthropic's, for answers that are scripted byte by byte.
        .route("/v1/messages", post(chat))
        .route("/v1/embeddings", post(embeddings))
        .route("/v1/files", post(batches::upload))
        .route("/v1/files/{id}/content", get(batches::content))
        .route("/v1/batches", get(batches::list).post(batches::begin))
        .route("/v1/batches/{id}", get(batches::get))
        .route("/v1/batches/{id}/cancel", post(batches::cancel))
        .layer(axum::extract::DefaultBodyLimit::max(BODY_LIMIT))
        .fallback(unknown)
        .with_state(state)
}

async fn models(Extract(state): Extract<Arc<State>>, request: Request) -> Response {
    record(&state, request).await;
    Json(json!({"object": "list", "data": state.models()})).into_response()
}

async fn embeddings(Extract(state): Extract<Arc<State>>, request: Request) -> Response {
    let request = record(&state, request).await;
    Json(embedding::respond(&request.body)).into_response()
}

async fn unknown(Extract(state): Extract<Arc<State>>, request: Request) -> Response {
    let request = record(&state, request).await;
    let message = format!("no such route: {} {}", request.method, request.path);
    (StatusCode::NOT_FOUND, Json(json!({"error": {"message": message, "code": "not_found"}}))).into_response()
}

async fn chat(Extract(state): Extract<Arc<State>>, request: Request) -> Response {
    let request = record(&state, request).await;
    let reply = state.take_reply(&request);
    let mut guard = Guard::new(&state);
    pause(reply.delay).await;
    match &reply.kind {
        Kind::Hang => std::future::pending().await,
        Kind::Http(http) => {
            guard.finish();
            plain(http)
        }
        Kind::Raw(chunks) => stream(chunks.clone(), &reply, guard),
        Kind::Message(message) if request.body["stream"] == Value::Bool(true) => {
            let chunks = wire::stream(message, &request.body, state.next_id());
            stream(chunks, &reply, guard)
        }
        Kind::Message(message) => {
            guard.finish();
            Json(wire::completion(message, &request.body, state.next_id())).into_response()
        }
    }
}

async fn record(state: &State, request: Request) -> Recorded {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let recorded =
        Recorded { method: parts.method.to_string(), path: parts.uri.path().to_owned(), headers: parts.headers, body };
    state.record(recorded.clone());
    recorded
}

fn plain(http: &Http) -> Response {
    let mut response = Response::builder().status(http.status);
    for (name, value) in &http.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(http.body.clone())).expect("the test scripted a valid HTTP answer")
}

fn stream(chunks: Vec<Bytes>, reply: &Reply, guard: Guard) -> Response {
    let (delay, stall_after) = (reply.chunk_delay, reply.stall_after.unwrap_or(usize::MAX));
    let stalls = stall_after < usize::MAX;
    let start = (chunks.into_iter().take(stall_after), guard);
    let body = futures::stream::unfold(start, move |(mut chunks, mut guard)| async move {
        let Some(chunk) = chunks.next() else {
            if stalls {
                std::future::pending::<()>().await;
            }
            guard.finish();
            return None;
        };
        pause(delay).await;
        Some((Ok::<_, std::convert::Infallible>(chunk), (chunks, guard)))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(body)).into_response()
}

async fn pause(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}
