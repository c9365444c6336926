//! Runs: the turns of agents.

mod active;
mod delete;
mod list;
mod messages;
mod metrics;
mod retrieve;
mod steps;
mod stream;
mod trace;
mod usage;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(active::list))
        .routes(routes!(retrieve::retrieve, delete::delete))
        .routes(routes!(messages::list))
        .routes(routes!(usage::retrieve))
        .routes(routes!(metrics::retrieve))
        .routes(routes!(steps::list))
        .routes(routes!(stream::stream, stream::follow))
        .routes(routes!(trace::retrieve))
}
