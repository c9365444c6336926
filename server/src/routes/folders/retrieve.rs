//! Reads a folder.

use axum::{Json, extract::State};
use mneme_domain::{
    SourceId,
    folder::{Folder, Source},
};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, path::FolderId},
    routes::refusals::Refusals,
};

/// Reads a folder.
#[utoipa::path(
    get,
    path = "/v1/folders/{folder_id}",
    operation_id = "folders.retrieve",
    tag = "folders",
    params(("folder_id" = String, Path, description = "`source-<uuid4>`")),
    responses((status = 200, description = "The folder.", body = Folder), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    FolderId(folder): FolderId,
) -> Answer<Folder> {
    Ok(Json(app.core.get_folder(&actor, &folder).await?))
}

/// Reads a folder.
#[utoipa::path(
    get,
    path = "/v1/sources/{source_id}",
    operation_id = "sources.retrieve",
    tag = "sources",
    params(("source_id" = String, Path, description = "`source-<uuid4>`")),
    responses((status = 200, description = "The folder.", body = Source), Refusals)
)]
pub async fn retrieve_source(app: State<AppState>, caller: Caller, Id(folder): Id<SourceId>) -> Answer<Source> {
    let Json(folder) = retrieve(app, caller, FolderId(folder)).await?;
    Ok(Json(folder.into()))
}
