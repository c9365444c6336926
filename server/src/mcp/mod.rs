//! This server as an MCP server, for other programs: `/mcp` offers all agents of whoever asks, `/mcp/agents/{agent_id}`
//! one agent with its own tools. Streamable HTTP without sessions; the credentials are those of the API.

mod desk;
mod offer;

use std::sync::Arc;

use axum::Router;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};

use crate::app::AppState;

/// The routes.
pub fn routes(app: &AppState) -> Router<AppState> {
    // Hosts, origins, credentials and how much is worked on are checked around all routes; here they would be checked
    // again by other rules.
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .disable_allowed_hosts()
        .disable_allowed_origins()
        .with_max_request_body_bytes(app.limits.body_bytes);
    let desk = desk::Desk::new(app.core.clone());
    let service =
        StreamableHttpService::new(move || Ok(desk.clone()), Arc::new(NeverSessionManager::default()), config);
    Router::new().route_service("/mcp", service.clone()).route_service("/mcp/agents/{agent_id}", service)
}
