//! Makes the registry agree with a server.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, McpServerId, mcp::McpRefresh};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, Query, path},
    routes::refusals::Refusals,
};

/// On whose behalf.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The agent whose variables are filled into the server's token and headers.
    agent_id: Option<String>,
}

/// Asks an MCP server for its tools again: new ones come, those that are gone go, also from agents, and those that
/// changed are brought up to date.
#[utoipa::path(
    patch,
    path = "/v1/mcp-servers/{mcp_server_id}/refresh",
    operation_id = "mcpServers.mcp-refresh-mcp-server-tools",
    tag = "mcp-servers",
    params(("mcp_server_id" = String, Path, description = "`mcp_server-<uuid4>`"), Params),
    responses((status = 200, description = "What changed.", body = McpRefresh), Refusals)
)]
pub async fn refresh(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(id): Id<McpServerId>,
    Query(params): Query<Params>,
) -> Answer<McpRefresh> {
    let agent: Option<AgentId> =
        params.agent_id.as_deref().map(|text| path::parse_query("agent_id", text)).transpose()?;
    let server = app.core.get_mcp_server(&actor, &id).await?;
    Ok(Json(app.core.refresh_mcp_server(&actor, &server, agent.as_ref()).await?))
}
