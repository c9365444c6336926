//! Reads a folder.

use axum::{Json, extract::State};
use mneme_domain::folder::Folder;

use crate::{
    app::AppState,
    http::{Answer, Caller, path::FolderId},
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
