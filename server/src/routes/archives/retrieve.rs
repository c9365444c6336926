//! Reads an archive.

use axum::{Json, extract::State};
use mneme_domain::{ArchiveId, archive::Archive};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Reads an archive.
#[utoipa::path(
    get,
    path = "/v1/archives/{archive_id}",
    operation_id = "archives.get-archive-by-id",
    tag = "archives",
    params(("archive_id" = String, Path, description = "`archive-<uuid4>`")),
    responses((status = 200, description = "The archive.", body = Archive), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(archive): Id<ArchiveId>,
) -> Answer<Archive> {
    Ok(Json(app.core.get_archive(&actor, &archive).await?))
}
