//! Lists the files of a folder.

use axum::{Json, extract::State};
use mneme_domain::{Order, Page, SourceId, folder::FileMetadata};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging, Query,
        page::{DEFAULT_LIMIT, PageParams},
        path::FolderId,
        query::flag,
    },
    routes::refusals::Refusals,
};

/// How much to show.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Whether to show the texts; a page may then be shorter.
    #[serde(default, deserialize_with = "flag")]
    include_content: Option<bool>,
}

/// Lists the files of the folder, newest first.
#[utoipa::path(
    get,
    path = "/v1/folders/{folder_id}/files",
    operation_id = "folders.files.list",
    tag = "folders",
    params(("folder_id" = String, Path, description = "`source-<uuid4>`"), PageParams, Params),
    responses((status = 200, description = "The files.", body = Vec<FileMetadata>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    FolderId(folder): FolderId,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<FileMetadata>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    let with_text = params.include_content == Some(true);
    Ok(Json(app.core.list_files(&actor, &folder, with_text, &page).await?))
}

/// Lists the files of the folder, newest first.
#[utoipa::path(
    get,
    path = "/v1/sources/{source_id}/files",
    operation_id = "sources.files.list",
    tag = "sources",
    params(("source_id" = String, Path, description = "`source-<uuid4>`"), PageParams, Params),
    responses((status = 200, description = "The files.", body = Vec<FileMetadata>), Refusals)
)]
pub async fn list_of_source(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(folder): Id<SourceId>,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<FileMetadata>> {
    let page = paging.page(Order::Desc, Page::MAX_LIMIT);
    let with_text = params.include_content == Some(true);
    Ok(Json(app.core.list_files(&actor, &folder, with_text, &page).await?))
}
