//! The tools of an agent.

mod approval;
mod attach;
mod detach;
mod list;
mod run;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(attach::attach))
        .routes(routes!(detach::detach))
        .routes(routes!(approval::approval))
        .routes(routes!(approval::approval_of))
        .routes(routes!(run::run))
}
