//! Folders of files under their older name, sources.

mod agents;
mod by_name;
mod count;
mod create;
mod delete;
mod file;
mod files;
mod list;
mod metadata;
mod modify;
mod passages;
mod retrieve;
mod upload;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(count::count))
        .routes(routes!(metadata::metadata))
        .routes(routes!(by_name::by_name))
        .routes(routes!(retrieve::retrieve, modify::modify, delete::delete))
        .routes(routes!(upload::upload))
        .routes(routes!(files::list))
        .routes(routes!(file::retrieve))
        .routes(routes!(file::delete))
        .routes(routes!(agents::list))
        .routes(routes!(passages::list))
}
