//! MCP servers and the tools that were taken from them.

mod connect;
mod create;
mod delete;
mod list;
mod log;
mod modify;
mod refresh;
mod retrieve;
mod run;
mod tool;
mod tools;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(connect::connect))
        .routes(routes!(retrieve::retrieve, modify::modify, delete::delete))
        .routes(routes!(tools::tools))
        .routes(routes!(tool::tool))
        .routes(routes!(run::run))
        .routes(routes!(refresh::refresh))
        .routes(routes!(log::log))
}
