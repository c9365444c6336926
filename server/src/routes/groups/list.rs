//! Lists groups.

use axum::{Json, extract::State};
use mneme_core::GroupFilter;
use mneme_domain::{
    Order,
    group::{Group, ManagerType},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Paging, Query,
        page::{DEFAULT_LIMIT, PageParams},
        query,
    },
    routes::refusals::Common,
};

/// Which groups.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// How they work.
    #[param(inline)]
    manager_type: Option<ManagerType>,
    /// The exact project.
    project_id: Option<String>,
    /// Also hidden ones.
    #[serde(default, deserialize_with = "query::flag")]
    show_hidden_groups: Option<bool>,
}

/// Lists groups.
#[utoipa::path(
    get,
    path = "/v1/groups",
    operation_id = "groups.list",
    tag = "groups",
    params(PageParams, Params),
    responses((status = 200, description = "The groups.", body = Vec<Group>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Group>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    let filter = GroupFilter {
        manager_type: params.manager_type,
        project_id: params.project_id,
        agent_id: None,
        include_hidden: params.show_hidden_groups.unwrap_or(false),
    };
    Ok(Json(app.core.list_groups(&actor, filter, &page).await?))
}
