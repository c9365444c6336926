//! Takes an upload.

use axum::{
    Json,
    extract::{Request, State},
};
use mneme_core::Naming;
use mneme_domain::{
    SourceId,
    folder::{DuplicateFileHandling, FileMetadata},
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, Query, path::FolderId, upload},
    routes::refusals::{Detail, Refusals},
};

/// How to take it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// What happens when the folder has a file of that name: `skip` keeps that one, `error` refuses this one, `suffix`
    /// (the default) puts a number behind the name, `replace` deletes that one.
    #[param(inline)]
    duplicate_handling: Option<DuplicateFileHandling>,
    /// What to call the file instead of what the form says.
    name: Option<String>,
}

/// The form of an upload, for the API's description.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the API's description only")]
pub struct UploadFile {
    /// The document.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Takes a file into a folder. It is read in the background; `processing_status` says how far that is.
#[utoipa::path(
    post,
    path = "/v1/folders/{folder_id}/upload",
    operation_id = "folders.files.upload",
    tag = "folders",
    params(("folder_id" = String, Path, description = "`source-<uuid4>`"), Params),
    request_body(content = UploadFile, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "The file, not read yet.", body = FileMetadata),
        (status = 413, description = "The file is too large.", body = Detail),
        (status = 415, description = "The file is of a kind that is not read.", body = Detail),
        Refusals,
    )
)]
pub async fn upload(
    State(app): State<AppState>,
    Caller(actor): Caller,
    FolderId(folder): FolderId,
    Query(params): Query<Params>,
    request: Request,
) -> Answer<FileMetadata> {
    app.core.require_folder(&actor, &folder).await?;
    let naming = Naming { wanted: params.name, ..Naming::default() };
    let (spool, naming) = upload::receive(&app, request, naming).await?;
    let duplicates = params.duplicate_handling.unwrap_or_default();
    Ok(Json(app.core.take_upload(&actor, &folder, spool, &naming, duplicates).await?))
}

/// Takes a file into a folder. It is read in the background; `processing_status` says how far that is.
#[utoipa::path(
    post,
    path = "/v1/sources/{source_id}/upload",
    operation_id = "sources.files.upload",
    tag = "sources",
    params(("source_id" = String, Path, description = "`source-<uuid4>`"), Params),
    request_body(content = UploadFile, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "The file, not read yet.", body = FileMetadata),
        (status = 413, description = "The file is too large.", body = Detail),
        (status = 415, description = "The file is of a kind that is not read.", body = Detail),
        Refusals,
    )
)]
pub async fn upload_to_source(
    app: State<AppState>,
    caller: Caller,
    Id(folder): Id<SourceId>,
    params: Query<Params>,
    request: Request,
) -> Answer<FileMetadata> {
    upload(app, caller, FolderId(folder), params, request).await
}
