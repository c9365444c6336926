//! Messages: talking to agents, and what was said.

mod create;
mod list;
mod modify;
mod preview;
mod reset;
mod stream;
mod turn;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(stream::stream))
        .routes(routes!(preview::preview))
        .routes(routes!(modify::modify))
        .routes(routes!(reset::reset))
}
