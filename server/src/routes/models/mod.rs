//! The models that agents can use.

mod embedding;
mod list;
mod view;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(embedding::list))
        .routes(routes!(embedding::list_again))
}
