//! Tools, whatever agents have them.

mod add_base;
mod components;
mod count;
mod create;
mod delete;
mod denials;
mod filter;
mod list;
mod modify;
mod policy;
mod retrieve;
mod run;
mod search;
mod upsert;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create, upsert::upsert))
        .routes(routes!(count::count))
        .routes(routes!(add_base::add_base))
        .routes(routes!(run::run))
        .routes(routes!(search::search))
        .routes(routes!(components::upload))
        .routes(routes!(policy::ceiling, policy::replace_ceiling))
        .routes(routes!(policy::retrieve, policy::replace))
        .routes(routes!(denials::list))
        .routes(routes!(retrieve::retrieve, modify::modify, delete::delete))
}
