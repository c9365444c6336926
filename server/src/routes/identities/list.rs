//! Lists identities.

use axum::{Json, extract::State};
use mneme_core::IdentityFilter;
use mneme_domain::{
    Order,
    identity::{Identity, IdentityType},
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

/// Which identities.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The exact name.
    name: Option<String>,
    /// The exact project.
    project_id: Option<String>,
    /// The exact key.
    identifier_key: Option<String>,
    /// What they stand for.
    #[param(inline)]
    identity_type: Option<IdentityType>,
}

/// Lists identities.
#[utoipa::path(
    get,
    path = "/v1/identities",
    operation_id = "identities.list",
    tag = "identities",
    params(PageParams, Params),
    responses((status = 200, description = "The identities.", body = Vec<Identity>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Identity>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    let filter = IdentityFilter {
        name: params.name,
        project_id: params.project_id,
        identifier_key: params.identifier_key,
        identity_type: params.identity_type,
    };
    Ok(Json(app.core.list_identities(&actor, filter, &page).await?))
}
