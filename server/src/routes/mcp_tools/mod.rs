//! MCP servers by their names, as older clients know them.

mod add;
mod add_tool;
mod callback;
mod connect;
mod delete;
mod execute;
mod list;
mod modify;
mod resync;
mod test;
mod tools;

use utoipa_axum::{router::OpenApiRouter, routes};

pub use connect::{Redirect, events};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, add::add))
        .routes(routes!(test::test))
        .routes(routes!(connect::connect))
        .routes(routes!(callback::callback))
        .routes(routes!(modify::modify, delete::delete))
        .routes(routes!(tools::tools))
        .routes(routes!(resync::resync))
        .routes(routes!(execute::execute))
        .routes(routes!(add_tool::add_tool))
}
