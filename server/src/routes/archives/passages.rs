//! The passages of an archive: put in, taken out.

use axum::{Json, extract::State, http::StatusCode};
use mneme_domain::{
    ArchiveId, PassageId,
    archive::{CreatePassage, Passage},
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, ApiError, Body, Caller, Id, problem::Problem},
    routes::refusals::Refusals,
};

/// Texts that one request may bring: each is embedded before the answer.
const MOST: usize = 1000;

/// Texts for an archive.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Batch {
    /// At most 1000.
    passages: Vec<CreatePassage>,
}

/// Puts a text into the archive.
#[utoipa::path(
    post,
    path = "/v1/archives/{archive_id}/passages",
    operation_id = "archives.passages.create",
    tag = "archives",
    params(("archive_id" = String, Path, description = "`archive-<uuid4>`")),
    request_body = CreatePassage,
    responses((status = 200, description = "The passage.", body = Passage), Refusals)
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(archive): Id<ArchiveId>,
    Body(body): Body<CreatePassage>,
) -> Answer<Passage> {
    let made = app.core.create_passages(&actor, &archive, vec![body]).await?;
    let missing = || mneme_core::CoreError::Internal("a stored passage did not come back".into());
    Ok(Json(made.into_iter().next().ok_or_else(missing)?))
}

/// Puts texts into the archive: all of them or none. The answer leaves their vectors out.
#[utoipa::path(
    post,
    path = "/v1/archives/{archive_id}/passages/batch",
    operation_id = "archives.passages.create-many",
    tag = "archives",
    params(("archive_id" = String, Path, description = "`archive-<uuid4>`")),
    request_body = Batch,
    responses((status = 200, description = "The passages.", body = Vec<Passage>), Refusals)
)]
pub async fn create_many(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(archive): Id<ArchiveId>,
    Body(body): Body<Batch>,
) -> Answer<Vec<Passage>> {
    if body.passages.len() > MOST {
        let text = format!("one request brings at most {MOST} passages");
        return Err(Problem::value_error(vec!["body".into(), "passages".into()], &text).into());
    }
    let mut made = app.core.create_passages(&actor, &archive, body.passages).await?;
    // A thousand vectors are megabytes that no client reads.
    made.iter_mut().for_each(|passage| passage.embedding = None);
    Ok(Json(made))
}

/// Deletes a passage of the archive.
#[utoipa::path(
    delete,
    path = "/v1/archives/{archive_id}/passages/{passage_id}",
    operation_id = "archives.delete-passage-from-archive",
    tag = "archives",
    params(
        ("archive_id" = String, Path, description = "`archive-<uuid4>`"),
        ("passage_id" = String, Path, description = "`passage-<uuid4>`")
    ),
    responses((status = 204, description = "It is gone."), Refusals)
)]
pub async fn delete(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(archive): Id<ArchiveId>,
    Id(passage): Id<PassageId>,
) -> Result<StatusCode, ApiError> {
    app.core.delete_passage(&actor, &archive, &passage).await?;
    Ok(StatusCode::NO_CONTENT)
}
