//! Creates an archive.

use axum::{Json, extract::State};
use mneme_domain::archive::{Archive, CreateArchive};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Refusals,
};

/// Creates an archive that no agent has yet.
#[utoipa::path(
    post,
    path = "/v1/archives",
    operation_id = "archives.create-archive",
    tag = "archives",
    request_body = CreateArchive,
    responses((status = 200, description = "The archive.", body = Archive), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<CreateArchive>,
) -> Answer<Archive> {
    Ok(Json(app.core.create_archive(&actor, body).await?))
}
