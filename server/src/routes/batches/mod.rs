//! Batches: messages for many agents in one request.

mod cancel;
mod create;
mod list;
mod messages;
mod retrieve;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(retrieve::retrieve))
        .routes(routes!(cancel::cancel))
        .routes(routes!(messages::list))
}
