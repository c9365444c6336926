//! Lists the chunks of a folder.

use axum::{Json, extract::State};
use mneme_domain::{Order, SourceId, archive::Passage};

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging,
        page::{DEFAULT_LIMIT, PageParams},
        path::FolderId,
    },
    routes::refusals::Refusals,
};

/// Lists the chunks of the folder's files, newest first.
#[utoipa::path(
    get,
    path = "/v1/folders/{folder_id}/passages",
    operation_id = "folders.passages.list",
    tag = "folders",
    params(("folder_id" = String, Path, description = "`source-<uuid4>`"), PageParams),
    responses((status = 200, description = "The chunks.", body = Vec<Passage>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    FolderId(folder): FolderId,
    paging: Paging,
) -> Answer<Vec<Passage>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.list_chunks(&actor, &folder, &page).await?))
}

/// Lists the chunks of the folder's files, newest first.
#[utoipa::path(
    get,
    path = "/v1/sources/{source_id}/passages",
    operation_id = "sources.passages.list",
    tag = "sources",
    params(("source_id" = String, Path, description = "`source-<uuid4>`"), PageParams),
    responses((status = 200, description = "The chunks.", body = Vec<Passage>), Refusals)
)]
pub async fn list_of_source(
    app: State<AppState>,
    caller: Caller,
    Id(folder): Id<SourceId>,
    paging: Paging,
) -> Answer<Vec<Passage>> {
    list(app, caller, FolderId(folder), paging).await
}
