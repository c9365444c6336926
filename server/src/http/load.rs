//! Bounds the requests that are worked on at the same time. The rest is turned away at once rather than queued:
//! a client that waits in a queue gives up and asks again, which makes the queue longer.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::error::ApiError;
use crate::app::AppState;

/// Works on a request when there is room. A stream counts until its answer begins; connections are bounded apart.
pub async fn bound(State(app): State<AppState>, request: Request, next: Next) -> Response {
    match app.requests.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => ApiError::Busy.into_response(),
    }
}
