//! Identities: the people and things that agents and blocks belong to.

mod agents;
mod attach;
mod blocks;
mod count;
mod create;
mod delete;
mod list;
mod modify;
mod properties;
mod retrieve;
mod upsert;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create, upsert::upsert))
        .routes(routes!(count::count))
        .routes(routes!(retrieve::retrieve, modify::modify, delete::delete))
        .routes(routes!(properties::upsert))
        .routes(routes!(agents::list))
        .routes(routes!(blocks::list))
        .routes(routes!(attach::to_agent))
        .routes(routes!(attach::from_agent))
        .routes(routes!(attach::to_block))
        .routes(routes!(attach::from_block))
}
