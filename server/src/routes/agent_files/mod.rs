//! The files of an agent: which there are, which are open.

mod close;
mod close_all;
mod list;
mod open;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(open::open))
        .routes(routes!(close::close))
        .routes(routes!(close_all::close_all))
}
