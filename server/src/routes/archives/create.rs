//! Creates an archive.

use axum::{Json, extract::State, http::HeaderMap};
use mneme_domain::archive::{Archive, CreateArchive};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Client},
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
    headers: HeaderMap,
    Body(mut body): Body<CreateArchive>,
) -> Answer<Archive> {
    // The description wants a model; the client libraries have it optional, or have no argument for it.
    if Client::is_library(&headers) && body.embedding.is_none() && body.embedding_config.is_none() {
        body.embedding_config = app.core.list_embedding_models(&actor).await?.into_iter().next();
    }
    Ok(Json(app.core.create_archive(&actor, body).await?))
}
