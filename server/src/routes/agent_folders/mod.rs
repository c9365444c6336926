//! The folders of an agent, and the same routes under their older name, sources.

mod attach;
mod detach;
mod list;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes of folders.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list::list)).routes(routes!(attach::attach)).routes(routes!(detach::detach))
}

/// The routes of sources.
pub fn sources() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_sources))
        .routes(routes!(attach::attach_source))
        .routes(routes!(detach::detach_source))
}
