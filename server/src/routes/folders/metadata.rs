//! What folders hold.

use axum::{Json, extract::State};
use mneme_domain::folder::FolderTotals;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{Answer, Caller, Query, query::flag},
    routes::refusals::Common,
};

/// How much to tell.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Whether to tell each folder with its files.
    #[serde(default, deserialize_with = "flag")]
    include_detailed_per_source_metadata: Option<bool>,
}

/// How many folders and files there are, and how large they are.
#[utoipa::path(
    get,
    path = "/v1/folders/metadata",
    operation_id = "folders.retrieve-metadata",
    tag = "folders",
    params(Params),
    responses((status = 200, description = "The numbers.", body = FolderTotals), Common)
)]
pub async fn metadata(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Query(params): Query<Params>,
) -> Answer<FolderTotals> {
    let detailed = params.include_detailed_per_source_metadata == Some(true);
    Ok(Json(app.core.folder_totals(&actor, detailed).await?))
}

/// How many folders and files there are, and how large they are.
#[utoipa::path(
    get,
    path = "/v1/sources/metadata",
    operation_id = "sources.get-sources-metadata",
    tag = "sources",
    params(Params),
    responses((status = 200, description = "The numbers.", body = FolderTotals), Common)
)]
pub async fn sources_metadata(app: State<AppState>, caller: Caller, params: Query<Params>) -> Answer<FolderTotals> {
    metadata(app, caller, params).await
}
