//! Groups: agents that talk with each other.

mod agent;
mod blocks;
mod broadcast;
mod count;
mod create;
mod delete;
mod list;
mod messages;
mod modify;
mod retrieve;
mod talk;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(count::count))
        .routes(routes!(retrieve::retrieve, modify::modify, delete::delete))
        .routes(routes!(blocks::attach))
        .routes(routes!(blocks::detach))
        .routes(routes!(messages::list, talk::create))
        .routes(routes!(talk::stream))
        .routes(routes!(messages::modify))
        .routes(routes!(messages::reset))
        .routes(routes!(agent::list))
        .routes(routes!(broadcast::broadcast))
}
