//! Deletes a folder.

use axum::{Json, extract::State};

use crate::{
    app::AppState,
    http::{Answer, Caller, path::FolderId},
    routes::refusals::Refusals,
};

/// Deletes a folder with its files and takes it from its agents.
#[utoipa::path(
    delete,
    path = "/v1/folders/{folder_id}",
    operation_id = "folders.delete",
    tag = "folders",
    params(("folder_id" = String, Path, description = "`source-<uuid4>`")),
    responses((status = 200, description = "It is gone."), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, FolderId(folder): FolderId) -> Answer<()> {
    app.core.delete_folder(&actor, &folder).await?;
    Ok(Json(()))
}
