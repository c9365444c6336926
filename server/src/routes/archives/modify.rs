//! Changes an archive.

use axum::{Json, extract::State};
use mneme_domain::{
    ArchiveId,
    archive::{Archive, ArchiveUpdate},
};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Changes an archive's name or description.
#[utoipa::path(
    patch,
    path = "/v1/archives/{archive_id}",
    operation_id = "archives.modify-archive",
    tag = "archives",
    params(("archive_id" = String, Path, description = "`archive-<uuid4>`")),
    request_body = ArchiveUpdate,
    responses((status = 200, description = "The archive after the change.", body = Archive), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(archive): Id<ArchiveId>,
    Body(body): Body<ArchiveUpdate>,
) -> Answer<Archive> {
    Ok(Json(app.core.update_archive(&actor, &archive, body).await?))
}
