//! Creates a folder.

use axum::{Json, extract::State};
use mneme_domain::folder::{CreateFolder, Folder, Source};

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

/// Creates a folder.
#[utoipa::path(
    post,
    path = "/v1/sources",
    operation_id = "sources.create",
    tag = "sources",
    request_body = CreateFolder,
    responses((status = 200, description = "The folder.", body = Source), Refusals)
)]
pub async fn create_source(app: State<AppState>, caller: Caller, body: Body<CreateFolder>) -> Answer<Source> {
    let Json(folder) = create(app, caller, body).await?;
    Ok(Json(folder.into()))
}
