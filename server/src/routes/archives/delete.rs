//! Deletes an archive.

use axum::{Json, extract::State};
use mneme_domain::{ArchiveId, archive::Archive};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Deletes an archive with all its passages and takes it from its agents.
#[utoipa::path(
    delete,
    path = "/v1/archives/{archive_id}",
    operation_id = "archives.delete-archive",
    tag = "archives",
    params(("archive_id" = String, Path, description = "`archive-<uuid4>`")),
    responses((status = 200, description = "The archive as it was.", body = Archive), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, Id(archive): Id<ArchiveId>) -> Answer<Archive> {
    Ok(Json(app.core.delete_archive(&actor, &archive).await?))
}
