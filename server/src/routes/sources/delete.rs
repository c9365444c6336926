//! Deletes a folder in the words of older clients.

use axum::{Json, extract::State};
use mneme_domain::SourceId;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Deletes a folder with its files and takes it from its agents.
#[utoipa::path(
    delete,
    path = "/v1/sources/{source_id}",
    operation_id = "sources.delete",
    tag = "sources",
    params(("source_id" = String, Path, description = "`source-<uuid4>`")),
    responses((status = 200, description = "It is gone."), Refusals)
)]
pub async fn delete(State(app): State<AppState>, Caller(actor): Caller, Id(folder): Id<SourceId>) -> Answer<()> {
    app.core.delete_folder(&actor, &folder).await?;
    Ok(Json(()))
}
