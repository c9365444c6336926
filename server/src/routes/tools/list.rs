//! Lists tools.

use axum::{Json, extract::State};
use mneme_domain::{Order, tool::Tool};

use super::filter::Params;
use crate::{
    app::AppState,
    http::{
        Answer, Caller, Paging, Query,
        page::{DEFAULT_LIMIT, PageParams},
    },
    routes::refusals::Common,
};

/// Lists tools.
#[utoipa::path(
    get,
    path = "/v1/tools",
    operation_id = "tools.list",
    tag = "tools",
    params(PageParams, Params),
    responses((status = 200, description = "The tools.", body = Vec<Tool>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Tool>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.list_tools(&actor, params.filter()?, &page).await?))
}
