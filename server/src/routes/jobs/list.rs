//! Lists jobs.

use axum::{Json, extract::State};
use mneme_domain::{Actor, Order, job::Job};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::{App, AppState},
    http::{Answer, ApiError, Caller, Paging, Query, page::PageParams, query},
    routes::refusals::Common,
};

/// Jobs of a page unless the client says otherwise.
const DEFAULT_LIMIT: u32 = 100;

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The folder that they read. No run reads one, so with this there are none.
    source_id: Option<String>,
    /// Only jobs that are not over.
    #[serde(default, deserialize_with = "query::flag")]
    active: Option<bool>,
}

/// Lists runs that go on without their client, newest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/v1/jobs",
    operation_id = "jobs.list",
    tag = "jobs",
    params(PageParams, Params),
    responses((status = 200, description = "The jobs.", body = Vec<Job>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Job>> {
    let active = params.active.unwrap_or(false);
    Ok(Json(find(&app, &actor, paging, params.source_id.as_deref(), active).await?))
}

/// A page of jobs.
pub(super) async fn find(
    app: &App,
    actor: &Actor,
    paging: Paging,
    source: Option<&str>,
    active: bool,
) -> Result<Vec<Job>, ApiError> {
    if source.is_some() {
        return Ok(Vec::new());
    }
    Ok(app.core.list_jobs(actor, active, &paging.page(Order::Desc, DEFAULT_LIMIT)).await?)
}
