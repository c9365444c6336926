//! One file of a folder: read, deleted.

use axum::{Json, extract::State, http::StatusCode};
use mneme_domain::{FileId, SourceId, folder::FileMetadata};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{Answer, ApiError, Caller, Id, Query, path::FolderId, query::flag},
    routes::refusals::Refusals,
};

/// How much to show.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Whether to show the text.
    #[serde(default, deserialize_with = "flag")]
    include_content: Option<bool>,
}

/// Reads a file's state, and its text where that is asked for.
#[utoipa::path(
    get,
    path = "/v1/folders/{folder_id}/files/{file_id}",
    operation_id = "folders.files.retrieve",
    tag = "folders",
    params(("folder_id" = String, Path, description = "`source-<uuid4>`"), ("file_id" = String, Path, description = "`file-<uuid4>`"), Params),
    responses((status = 200, description = "The file.", body = FileMetadata), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    FolderId(folder): FolderId,
    Id(file): Id<FileId>,
    Query(params): Query<Params>,
) -> Answer<FileMetadata> {
    let with_text = params.include_content == Some(true);
    Ok(Json(app.core.get_file(&actor, &folder, &file, with_text).await?))
}

/// Deletes a file with its text and chunks; it closes in every agent.
#[utoipa::path(
    delete,
    path = "/v1/folders/{folder_id}/{file_id}",
    operation_id = "folders.files.delete",
    tag = "folders",
    params(("folder_id" = String, Path, description = "`source-<uuid4>`"), ("file_id" = String, Path, description = "`file-<uuid4>`")),
    responses((status = 204, description = "It is gone."), Refusals)
)]
pub async fn delete(
    State(app): State<AppState>,
    Caller(actor): Caller,
    FolderId(folder): FolderId,
    Id(file): Id<FileId>,
) -> Result<StatusCode, ApiError> {
    app.core.delete_file(&actor, &folder, &file).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads a file's state, and its text where that is asked for.
#[utoipa::path(
    get,
    path = "/v1/sources/{source_id}/files/{file_id}",
    operation_id = "sources.get-file-metadata",
    tag = "sources",
    params(("source_id" = String, Path, description = "`source-<uuid4>`"), ("file_id" = String, Path, description = "`file-<uuid4>`"), Params),
    responses((status = 200, description = "The file.", body = FileMetadata), Refusals)
)]
pub async fn retrieve_of_source(
    app: State<AppState>,
    caller: Caller,
    Id(folder): Id<SourceId>,
    file: Id<FileId>,
    params: Query<Params>,
) -> Answer<FileMetadata> {
    retrieve(app, caller, FolderId(folder), file, params).await
}

/// Deletes a file with its text and chunks; it closes in every agent.
#[utoipa::path(
    delete,
    path = "/v1/sources/{source_id}/{file_id}",
    operation_id = "sources.files.delete",
    tag = "sources",
    params(("source_id" = String, Path, description = "`source-<uuid4>`"), ("file_id" = String, Path, description = "`file-<uuid4>`")),
    responses((status = 204, description = "It is gone."), Refusals)
)]
pub async fn delete_of_source(
    app: State<AppState>,
    caller: Caller,
    Id(folder): Id<SourceId>,
    file: Id<FileId>,
) -> Result<StatusCode, ApiError> {
    delete(app, caller, FolderId(folder), file).await
}
