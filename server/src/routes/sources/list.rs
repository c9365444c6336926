//! Lists folders in the words of older clients.

use axum::{Json, extract::State};
use mneme_domain::{Order, Page, folder::Source};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{Answer, Caller, Paging, Query, page::PageParams},
    routes::refusals::Common,
};

/// Which folders.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The exact name.
    name: Option<String>,
}

/// Lists folders.
#[utoipa::path(
    get,
    path = "/v1/sources",
    operation_id = "sources.list",
    tag = "sources",
    params(PageParams, Params),
    responses((status = 200, description = "The folders.", body = Vec<Source>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Source>> {
    let page = paging.page(Order::Desc, Page::MAX_LIMIT);
    let found = app.core.list_folders(&actor, params.name.as_deref(), &page).await?;
    Ok(Json(found.into_iter().map(Source::from).collect()))
}
