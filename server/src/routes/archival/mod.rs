//! The archival memory of an agent: its passages, and its archives.

mod archives;
mod create;
mod list;
mod passage;
mod search;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(search::search))
        .routes(routes!(passage::retrieve, passage::modify, passage::delete))
        .routes(routes!(archives::attach))
        .routes(routes!(archives::detach))
}
