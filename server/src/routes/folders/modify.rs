//! Changes a folder.

use axum::{Json, extract::State};
use mneme_domain::{
    SourceId,
    folder::{Folder, Source, UpdateFolder},
};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id, path::FolderId},
    routes::refusals::Refusals,
};

/// Changes a folder; what the body does not name stays.
#[utoipa::path(
    patch,
    path = "/v1/folders/{folder_id}",
    operation_id = "folders.modify",
    tag = "folders",
    params(("folder_id" = String, Path, description = "`source-<uuid4>`")),
    request_body = UpdateFolder,
    responses((status = 200, description = "The folder after the change.", body = Folder), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    FolderId(folder): FolderId,
    Body(body): Body<UpdateFolder>,
) -> Answer<Folder> {
    Ok(Json(app.core.update_folder(&actor, &folder, body).await?))
}

/// Changes a folder; what the body does not name stays.
#[utoipa::path(
    patch,
    path = "/v1/sources/{source_id}",
    operation_id = "sources.modify",
    tag = "sources",
    params(("source_id" = String, Path, description = "`source-<uuid4>`")),
    request_body = UpdateFolder,
    responses((status = 200, description = "The folder after the change.", body = Source), Refusals)
)]
pub async fn modify_source(
    app: State<AppState>,
    caller: Caller,
    Id(folder): Id<SourceId>,
    body: Body<UpdateFolder>,
) -> Answer<Source> {
    let Json(folder) = modify(app, caller, FolderId(folder), body).await?;
    Ok(Json(folder.into()))
}
