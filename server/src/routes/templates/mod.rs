//! Templates, their versions, and agents that are made from them.

mod agent_file;
mod create;
mod current;
mod delete;
mod deploy;
mod describe;
mod fork;
mod list;
mod migrate;
mod rename;
mod save;
mod snapshot;
mod versions;
mod view;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, current::create))
        .routes(routes!(create::create, current::replace, current::delete))
        .routes(routes!(current::save))
        .routes(routes!(current::rollback))
        .routes(routes!(current::deploy))
        .routes(routes!(save::save, delete::delete))
        .routes(routes!(deploy::deploy))
        .routes(routes!(snapshot::retrieve, snapshot::replace))
        .routes(routes!(fork::fork))
        .routes(routes!(rename::rename))
        .routes(routes!(describe::describe))
        .routes(routes!(versions::list))
        .routes(routes!(migrate::migrate))
        .routes(routes!(agent_file::replace))
}
