//! Finds a folder by its name.

use axum::{Json, extract::State};
use mneme_domain::SourceId;

use crate::{
    app::AppState,
    http::{
        Answer, Caller,
        path::{FolderName, SourceName},
    },
    routes::refusals::Refusals,
};

/// The id of the folder that has this name.
#[utoipa::path(
    get,
    path = "/v1/folders/name/{folder_name}",
    operation_id = "folders.retrieve-by-name",
    tag = "folders",
    params(("folder_name" = String, Path, description = "The exact name")),
    responses((status = 200, description = "`source-<uuid4>`", body = String, content_type = "application/json"), Refusals)
)]
pub async fn by_name(
    State(app): State<AppState>,
    Caller(actor): Caller,
    FolderName(name): FolderName,
) -> Answer<SourceId> {
    Ok(Json(app.core.folder_by_name(&actor, &name).await?))
}

/// The id of the folder that has this name.
#[utoipa::path(
    get,
    path = "/v1/sources/name/{source_name}",
    operation_id = "sources.retrieve-by-name",
    tag = "sources",
    params(("source_name" = String, Path, description = "The exact name")),
    responses((status = 200, description = "`source-<uuid4>`", body = String, content_type = "application/json"), Refusals)
)]
pub async fn source_by_name(app: State<AppState>, caller: Caller, SourceName(name): SourceName) -> Answer<SourceId> {
    by_name(app, caller, FolderName(name)).await
}
