//! Creates a folder in the words of older clients.

use axum::{Json, extract::State};
use mneme_domain::folder::{CreateFolder, Source};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Refusals,
};

/// Creates a folder.
#[utoipa::path(
    post,
    path = "/v1/sources",
    operation_id = "sources.create",
    tag = "sources",
    request_body = CreateFolder,
    responses((status = 200, description = "The folder.", body = Source), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<CreateFolder>,
) -> Answer<Source> {
    Ok(Json(app.core.create_folder(&actor, body).await?.into()))
}
