//! Writes an agent as a file.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::StreamExt;
use mneme_core::CoreError;
use mneme_domain::AgentId;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{ApiError, Caller, Id, Query, query},
    routes::refusals::Refusals,
};

/// How the file is written.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Write the older format, which holds one agent with everything inside.
    #[serde(default, deserialize_with = "query::flag")]
    use_legacy_format: Option<bool>,
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
) -> Result<Response, ApiError> {
    let tell = |piece: &Result<Bytes, CoreError>| {
        if let Err(error) = piece {
            tracing::warn!(%error, "an export broke off");
        }
    };
    let body = if params.use_legacy_format == Some(true) {
        let file = app.core.export_agent_legacy(&actor, &agent).await?;
        Body::from_stream(file.inspect(tell))
    } else {
        let file = app.core.export_agent(&actor, &agent).await?;
        Body::from_stream(file.inspect(tell))
    };
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((kind, body).into_response())
}
