//! The folders of an agent in the words of older clients.

mod attach;
mod detach;
mod list;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::list)).routes(routes!(attach::attach)).routes(routes!(detach::detach))
}
