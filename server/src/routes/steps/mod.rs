//! Steps: the model calls of runs, with their tool calls.

mod feedback;
mod list;
mod messages;
mod metrics;
mod retrieve;
mod telemetry;
mod trace;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(retrieve::retrieve))
        .routes(routes!(metrics::retrieve))
        .routes(routes!(trace::retrieve))
        .routes(routes!(messages::list))
        .routes(routes!(feedback::modify))
        .routes(routes!(telemetry::retrieve))
}
