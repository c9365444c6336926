//! Writes an agent as a file.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, StreamExt, future::ready, stream};
use mneme_core::CoreError;
use mneme_domain::AgentId;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{ApiError, Caller, Client, Id, Query, query},
    routes::{messages::elsewhere, refusals::Refusals},
};

/// How the file is written.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Write the older format, which holds one agent with everything inside.
    #[serde(default, deserialize_with = "query::flag")]
    use_legacy_format: Option<bool>,
    /// Leave out everything that was said.
    #[serde(default, deserialize_with = "query::flag")]
    scrub_messages: Option<bool>,
    /// `default` means the agent's own conversation, which is the only one that this server keeps.
    conversation_id: Option<String>,
    /// Of older clients; a file holds the whole history.
    #[serde(rename = "max_steps")]
    _max_steps: Option<i64>,
}

/// Writes the agent with its blocks, tools, folders, groups, MCP servers and history as an agent file. Secrets stay here.
#[utoipa::path(
    get,
    path = "/v1/agents/{agent_id}/export",
    operation_id = "agents.export-file",
    tag = "agents",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), Params),
    responses((status = 200, description = "The file.", content_type = "application/json"), Refusals)
)]
pub async fn export(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Query(params): Query<Params>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    if let Some(other) = params.conversation_id.filter(|id| elsewhere(Some(id))) {
        return Err(CoreError::missing("Conversation", other).into());
    }
    let scrubbed = params.scrub_messages == Some(true);
    let quoted = Client::is_strict(&headers);
    let body = if params.use_legacy_format == Some(true) {
        body_of(app.core.export_agent_legacy(&actor, &agent, scrubbed).await?, quoted)
    } else {
        body_of(app.core.export_agent(&actor, &agent, scrubbed).await?, quoted)
    };
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((kind, body).into_response())
}

/// The file as it comes; quoted, it is one JSON string, as the description says and one client library insists.
fn body_of(file: impl Stream<Item = Result<Bytes, CoreError>> + Send + 'static, quoted: bool) -> Body {
    let file = file.inspect(|piece| {
        if let Err(error) = piece {
            tracing::warn!(%error, "an export broke off");
        }
    });
    if !quoted {
        return Body::from_stream(file);
    }
    let quote = || stream::once(ready(Ok::<Bytes, CoreError>(Bytes::from_static(b"\""))));
    let inner = file.map(|piece| piece.map(|text| escaped(&text)));
    Body::from_stream(quote().chain(inner).chain(quote()))
}

/// A piece of a JSON text as a part of a JSON string. A piece may end within a character.
fn escaped(text: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.into()
}
