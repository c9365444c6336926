//! Takes an upload in the words of older clients.

use axum::{
    Json,
    extract::{Request, State},
};
use mneme_domain::{SourceId, folder::FileMetadata};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, Query},
    routes::{
        folders::upload::{Params, UploadFile, receive},
        refusals::{Detail, Refusals},
    },
};

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
pub async fn upload(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(folder): Id<SourceId>,
    Query(params): Query<Params>,
    request: Request,
) -> Answer<FileMetadata> {
    Ok(Json(receive(&app, &actor, &folder, params, request).await?))
}
