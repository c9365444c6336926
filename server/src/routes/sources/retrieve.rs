//! Reads a folder in the words of older clients.

use axum::{Json, extract::State};
use mneme_domain::{SourceId, folder::Source};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads a folder.
#[utoipa::path(
    get,
    path = "/v1/sources/{source_id}",
    operation_id = "sources.retrieve",
    tag = "sources",
    params(("source_id" = String, Path, description = "`source-<uuid4>`")),
    responses((status = 200, description = "The folder.", body = Source), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, Id(folder): Id<SourceId>) -> Answer<Source> {
    Ok(Json(app.core.get_folder(&actor, &folder).await?.into()))
}
