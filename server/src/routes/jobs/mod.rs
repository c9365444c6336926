//! Jobs: runs that go on without their client, as older clients ask for them.

mod active;
mod cancel;
mod list;
mod retrieve;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(active::list))
        .routes(routes!(retrieve::retrieve, retrieve::delete))
        .routes(routes!(cancel::cancel))
}
