//! Lists tags.

use axum::{Json, extract::State};
use mneme_domain::Order;
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

/// Which tags.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Part of the tag.
    name: Option<String>,
    /// The same in the words of older clients.
    query_text: Option<String>,
}

/// Lists tags in alphabetical order.
#[utoipa::path(
    get,
    path = "/v1/tags",
    operation_id = "tags.list",
    tag = "tags",
    params(PageParams, Params),
    responses((status = 200, description = "The tags.", body = Vec<String>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<String>> {
    let part = params.name.or(params.query_text);
    Ok(Json(app.core.list_tags(&actor, part, &paging.page(Order::Asc, DEFAULT_LIMIT)).await?))
}
