//! Lists the chunks of a folder.

use axum::{Json, extract::State};
use mneme_domain::{Order, archive::Passage};

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Paging,
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
