//! The model providers.

mod check;
mod check_existing;
mod create;
mod delete;
mod list;
mod modify;
mod retrieve;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// What was done, in words.
#[derive(Serialize, ToSchema)]
#[schema(as = ProviderMessage)]
pub struct Said {
    /// The words.
    pub message: String,
}

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(check::check))
        .routes(routes!(retrieve::retrieve, modify::modify, delete::delete))
        .routes(routes!(check_existing::check_existing))
}
