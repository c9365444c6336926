//! OpenAI's files and batches: what goes up is kept, and answered as chat requests are when the answers are read.

use std::sync::Arc;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Path, Request, State as Extract};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::reply::Kind;
use super::routes::BODY_LIMIT;
use super::state::{Recorded, State};
use super::wire;

/// What was uploaded and begun.
#[derive(Debug, Default)]
pub(super) struct Batches {
    pub(super) files: Vec<String>,
    /// File, metadata and whether it was cancelled, of each batch.
    pub(super) begun: Vec<(usize, Value, bool)>,
    /// Whether batches stay under way.
    pub(super) held: bool,
    /// Answers of the files route that fail the request, first come first served.
    pub(super) refusals: Vec<u16>,
}

pub(super) async fn upload(Extract(state): Extract<Arc<State>>, request: Request) -> Response {
    let bytes = to_bytes(request.into_body(), BODY_LIMIT).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let file = text.lines().filter(|line| line.starts_with('{')).collect::<Vec<_>>().join("\n");
    state.record(Recorded { body: Value::String(file.clone()), ..recorded("POST", "/v1/files") });
    if let Some(status) = state.batches(|batches| batches.refusals.pop()) {
        let status = StatusCode::from_u16(status).expect("the test chose a valid status");
        return (status, Json(json!({"error": {"message": "not now", "code": "busy"}}))).into_response();
    }
    let number = state.batches(|batches| {
        batches.files.push(file);
        batches.files.len() - 1
    });
    Json(json!({"id": format!("file-{number}"), "object": "file", "purpose": "batch"})).into_response()
}

pub(super) async fn begin(Extract(state): Extract<Arc<State>>, Json(body): Json<Value>) -> Response {
    state.record(Recorded { body: body.clone(), ..recorded("POST", "/v1/batches") });
    let file = body["input_file_id"].as_str().and_then(|id| id.strip_prefix("file-")?.parse::<usize>().ok());
    let Some(file) = file else { return StatusCode::BAD_REQUEST.into_response() };
    let number = state.batches(|batches| {
        batches.begun.push((file, body["metadata"].clone(), false));
        batches.begun.len() - 1
    });
    Json(shown(&state, number)).into_response()
}

pub(super) async fn list(Extract(state): Extract<Arc<State>>) -> Response {
    state.record(recorded("GET", "/v1/batches"));
    let count = state.batches(|batches| batches.begun.len());
    let all: Vec<Value> = (0..count).rev().map(|number| shown(&state, number)).collect();
    Json(json!({"object": "list", "data": all})).into_response()
}

pub(super) async fn get(Extract(state): Extract<Arc<State>>, Path(id): Path<String>) -> Response {
    state.record(recorded("GET", &format!("/v1/batches/{id}")));
    match number(&id) {
        Some(number) => Json(shown(&state, number)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

pub(super) async fn cancel(Extract(state): Extract<Arc<State>>, Path(id): Path<String>) -> Response {
    state.record(recorded("POST", &format!("/v1/batches/{id}/cancel")));
    let Some(number) = number(&id) else { return StatusCode::NOT_FOUND.into_response() };
    state.batches(|batches| batches.begun[number].2 = true);
    Json(shown(&state, number)).into_response()
}

/// The answers of a batch: each call is answered as if it had come by itself.
pub(super) async fn content(Extract(state): Extract<Arc<State>>, Path(id): Path<String>) -> Response {
    state.record(recorded("GET", &format!("/v1/files/{id}/content")));
    let number = id.strip_prefix("out-").and_then(|number| number.parse::<usize>().ok());
    let Some(number) = number else { return StatusCode::NOT_FOUND.into_response() };
    let file = state.batches(|batches| batches.files[batches.begun[number].0].clone());
    let mut lines = String::new();
    for line in file.lines() {
        let call: Value = serde_json::from_str(line).expect("the server uploads JSON lines");
        let request = Recorded { body: call["body"].clone(), ..recorded("POST", "/v1/chat/completions") };
        let response = match state.take_reply(&request).kind {
            Kind::Message(message) => {
                json!({"status_code": 200, "body": wire::completion(&message, &request.body, state.next_id())})
            }
            Kind::Http(http) => {
                let body: Value = serde_json::from_slice(&http.body).unwrap_or(Value::Null);
                json!({"status_code": http.status, "body": body})
            }
            // Not answered in time.
            Kind::Hang | Kind::Raw(_) => continue,
        };
        lines.push_str(&json!({"custom_id": call["custom_id"], "response": response, "error": null}).to_string());
        lines.push('\n');
    }
    lines.into_response()
}

fn number(id: &str) -> Option<usize> {
    id.strip_prefix("batch_")?.parse().ok()
}

fn shown(state: &State, number: usize) -> Value {
    state.batches(|batches| {
        let (_, metadata, cancelled) = &batches.begun[number];
        let status = match (cancelled, batches.held) {
            (true, _) => "cancelled",
            (false, true) => "in_progress",
            (false, false) => "completed",
        };
        let output = (status == "completed").then(|| format!("out-{number}"));
        json!({"id": format!("batch_{number}"), "object": "batch", "status": status, "metadata": metadata,
            "output_file_id": output, "error_file_id": null})
    })
}

fn recorded(method: &str, path: &str) -> Recorded {
    Recorded { method: method.into(), path: path.into(), headers: Default::default(), body: Value::Null }
}
