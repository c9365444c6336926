//! Creates a folder.

use axum::{Json, extract::State};
use mneme_domain::folder::{CreateFolder, Folder};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Refusals,
};

/// Creates a folder.
#[utoipa::path(
    post,
    path = "/v1/folders",
    operation_id = "folders.create",
    tag = "folders",
    request_body = CreateFolder,
    responses((status = 200, description = "The folder.", body = Folder), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<CreateFolder>,
) -> Answer<Folder> {
    Ok(Json(app.core.create_folder(&actor, body).await?))
}
