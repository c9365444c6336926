//! Deletes a folder.

use axum::{Json, extract::State};
use mneme_domain::SourceId;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id, path::FolderId},
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

/// Deletes a folder with its files and takes it from its agents.
#[utoipa::path(
    delete,
    path = "/v1/sources/{source_id}",
    operation_id = "sources.delete",
    tag = "sources",
    params(("source_id" = String, Path, description = "`source-<uuid4>`")),
    responses((status = 200, description = "It is gone."), Refusals)
)]
pub async fn delete_source(app: State<AppState>, caller: Caller, Id(folder): Id<SourceId>) -> Answer<()> {
    delete(app, caller, FolderId(folder)).await
}
