//! Changes a folder in the words of older clients.

use axum::{Json, extract::State};
use mneme_domain::{
    SourceId,
    folder::{Source, UpdateFolder},
};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::Refusals,
};

/// Changes a folder; what the body does not name stays.
#[utoipa::path(
    patch,
    path = "/v1/sources/{source_id}",
    operation_id = "sources.modify",
    tag = "sources",
    params(("source_id" = String, Path, description = "`source-<uuid4>`")),
    request_body = UpdateFolder,
    responses((status = 200, description = "The folder after the change.", body = Source), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(folder): Id<SourceId>,
    Body(body): Body<UpdateFolder>,
) -> Answer<Source> {
    Ok(Json(app.core.update_folder(&actor, &folder, body).await?.into()))
}
