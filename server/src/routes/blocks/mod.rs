//! Memory blocks, on their own and shared between agents.

mod agents;
mod count;
mod create;
mod delete;
mod list;
mod modify;
mod retrieve;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(count::count))
        .routes(routes!(retrieve::retrieve, modify::modify, delete::delete))
        .routes(routes!(agents::list))
}
