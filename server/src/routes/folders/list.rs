//! Lists folders.

use axum::{Json, extract::State};
use mneme_domain::{
    Order, Page,
    folder::{Folder, Source},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Paging, Query,
        page::{DEFAULT_LIMIT, PageParams},
    },
    routes::refusals::Common,
};

/// Which folders.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The exact name.
    name: Option<String>,
}

/// Lists folders, newest first.
#[utoipa::path(
    get,
    path = "/v1/folders",
    operation_id = "folders.list",
    tag = "folders",
    params(PageParams, Params),
    responses((status = 200, description = "The folders.", body = Vec<Folder>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Folder>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    let found = app.core.list_folders(&actor, params.name.as_deref(), &page).await?;
    Ok(Json(found))
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
pub async fn list_sources(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Source>> {
    let page = paging.page(Order::Desc, Page::MAX_LIMIT);
    let found = app.core.list_folders(&actor, params.name.as_deref(), &page).await?;
    Ok(Json(found.into_iter().map(Source::from).collect()))
}
