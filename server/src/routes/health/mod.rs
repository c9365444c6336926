//! Whether the server lives.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(check))
}

/// The server's state.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// The server's version.
    pub version: &'static str,
    /// Always `ok`.
    pub status: &'static str,
}

/// Answers as long as the server lives. Needs no credentials.
#[utoipa::path(
    get,
    path = "/v1/health",
    operation_id = "health.check",
    tag = "health",
    security(()),
    responses((status = 200, description = "The server lives.", body = Health))
)]
pub async fn check() -> Json<Health> {
    Json(Health { version: crate::VERSION, status: "ok" })
}
