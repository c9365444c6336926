//! Archives: collections of passages that agents share.

mod agents;
mod create;
mod delete;
mod list;
mod modify;
mod passages;
mod retrieve;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(retrieve::retrieve, modify::modify, delete::delete))
        .routes(routes!(agents::list))
        .routes(routes!(passages::create))
        .routes(routes!(passages::create_many))
        .routes(routes!(passages::delete))
}
