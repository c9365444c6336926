//! Agents.

mod context;
mod core_memory;
mod count;
mod create;
mod delete;
mod export;
mod import;
mod list;
mod memory_variables;
mod modify;
mod recompile;
mod retrieve;
mod search;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(count::count))
        .routes(routes!(retrieve::retrieve, modify::modify, delete::delete))
        .routes(routes!(export::export))
        .routes(routes!(import::import))
        .routes(routes!(search::search))
        .routes(routes!(context::retrieve))
        .routes(routes!(recompile::recompile))
        .routes(routes!(core_memory::retrieve))
        .routes(routes!(memory_variables::list))
}
