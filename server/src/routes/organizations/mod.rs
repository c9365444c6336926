//! The caller's organisation. An addition to the API: no client library knows it yet.

mod variables;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(variables::list, variables::replace, variables::modify))
        .routes(routes!(variables::delete))
}
