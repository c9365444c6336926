//! Folders of files, and the same routes under their older name, sources. The two differ in the names of things, in
//! how long a page of some lists is, and in how a folder is shown.

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

/// The routes of folders.
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

/// The routes of sources.
pub fn sources() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_sources, create::create_source))
        .routes(routes!(count::count_sources))
        .routes(routes!(metadata::sources_metadata))
        .routes(routes!(by_name::source_by_name))
        .routes(routes!(retrieve::retrieve_source, modify::modify_source, delete::delete_source))
        .routes(routes!(upload::upload_to_source))
        .routes(routes!(files::list_of_source))
        .routes(routes!(file::retrieve_of_source))
        .routes(routes!(file::delete_of_source))
        .routes(routes!(agents::list_of_source))
        .routes(routes!(passages::list_of_source))
}
