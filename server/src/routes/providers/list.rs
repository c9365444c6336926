//! Lists providers.

use axum::{Json, extract::State};
use mneme_core::ProviderView;
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

/// Which providers.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The exact name.
    name: Option<String>,
    /// The type: `openai`, `anthropic`, `ollama`, ….
    provider_type: Option<String>,
}

/// Lists the providers. Their keys are not shown.
#[utoipa::path(
    get,
    path = "/v1/providers",
    operation_id = "providers.list",
    tag = "providers",
    params(PageParams, Params),
    responses((status = 200, description = "The providers.", body = Vec<ProviderView>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<ProviderView>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.list_providers(&actor, params.name, params.provider_type, &page).await?))
}
