//! Connects to a server, with a person's permission where it wants one.

use std::convert::Infallible;

use axum::{
    body::Body as RawBody,
    extract::{FromRequestParts, State},
    http::{header, request::Parts},
    response::Response,
};
use futures::{StreamExt, stream::BoxStream};
use mneme_core::mcp::McpServerBody;
use mneme_domain::mcp::McpServerShape;
use serde_json::Value;

use crate::{
    app::AppState,
    http::{ApiError, Body, Caller, sse},
    routes::refusals::Common,
};

/// Where a person's browser comes back to, as this client calls this server.
#[derive(Debug)]
pub struct Redirect(pub String);

impl FromRequestParts<AppState> for Redirect {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Infallible> {
        let named = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        Ok(Self(app.core.mcp_callback_url(named.or(parts.uri.authority().map(|host| host.as_str())))))
    }
}

/// Events as an answer.
pub fn events(events: BoxStream<'static, Value>) -> Response {
    sse::answer(RawBody::from_stream(events.map(|event| Ok::<_, Infallible>(sse::frame(&event)))))
}

/// Connects to an MCP server. The events are `connection_attempt`, then `success` with its tools or `error`; where it
/// wants a permission, `oauth_required`, `authorization_url` and `waiting_for_auth` come between, and the stream waits
/// until a person has opened the address and given it.
#[utoipa::path(
    post,
    path = "/v1/tools/mcp/servers/connect",
    operation_id = "tools.connect-mcp-server",
    tag = "tools",
    request_body = McpServerShape,
    responses((status = 200, description = "A stream of events.", content_type = "text/event-stream"), Common)
)]
pub async fn connect(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Redirect(redirect): Redirect,
    Body(body): Body<McpServerBody>,
) -> Result<Response, ApiError> {
    Ok(events(app.core.connect_mcp_server(&actor, body, redirect)?))
}
