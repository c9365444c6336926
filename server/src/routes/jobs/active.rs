//! Lists jobs that are not over.

use axum::{Json, extract::State};
use mneme_domain::job::Job;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{Answer, Caller, Paging, Query, page::PageParams},
    routes::refusals::Common,
};

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The folder that they read. No run reads one, so with this there are none.
    source_id: Option<String>,
}

/// Lists runs that go on without their client and are not over.
#[utoipa::path(
    get,
    path = "/v1/jobs/active",
    operation_id = "jobs.list-active",
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
    Ok(Json(super::list::find(&app, &actor, paging, params.source_id.as_deref(), true).await?))
}
