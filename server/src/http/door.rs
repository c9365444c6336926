//! The API for tools: the same routes as for everybody, without the network and without a credential. Who asks is known.

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
    middleware::from_fn,
};
use bytes::Bytes;
use mneme_core::{ApiDoor, ToolCaller};
use mneme_sandbox::{ApiRequest, ApiResponse};
use tower::ServiceExt;

use super::normalize::Normalize;
use crate::{app::AppState, http::context, router};

/// The most that an answer to a tool may have, in bytes.
const MAX_ANSWER: usize = 16 << 20;

/// The routes behind the door.
pub struct Door {
    service: Normalize<Router>,
}

impl Door {
    /// A door to the routes.
    pub fn new(app: AppState) -> Self {
        let (api, _) = router::described();
        Self { service: Normalize(api.layer(from_fn(context::trace)).with_state(app)) }
    }

    async fn ask(&self, caller: &ToolCaller, request: ApiRequest) -> Result<ApiResponse, String> {
        let mut built = Request::builder().method(request.method.as_str()).uri(&request.path);
        for (name, value) in &request.headers {
            built = built.header(name, value);
        }
        let mut request = built.body(Body::from(request.body)).map_err(|error| error.to_string())?;
        request.extensions_mut().insert(caller.actor.clone());
        let answered = caller.scope(self.service.clone().oneshot(request)).await;
        let Ok(answer) = answered;
        let status = answer.status().as_u16();
        let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
            Some((name.to_string(), value.to_str().ok()?.to_owned()))
        };
        let headers = answer.headers().iter().filter_map(text).collect();
        // A stream is read inside the scope too: its turn runs while it is read.
        let body = caller.scope(to_bytes(answer.into_body(), MAX_ANSWER)).await.map_err(|error| error.to_string())?;
        Ok(ApiResponse { status, headers, body })
    }
}

#[async_trait]
impl ApiDoor for Door {
    async fn answer(&self, caller: ToolCaller, request: ApiRequest) -> ApiResponse {
        self.ask(&caller, request).await.unwrap_or_else(|reason| {
            let body = serde_json::json!({ "detail": reason }).to_string();
            let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
            ApiResponse { status: 400, headers, body: Bytes::from(body) }
        })
    }
}
