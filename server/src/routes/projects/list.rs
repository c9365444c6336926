//! Lists projects.

use axum::{Json, extract::State};
use mneme_domain::template::Project;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::AppState,
    http::{Answer, Caller, Query},
    routes::refusals::Common,
};

/// Which projects.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The exact name.
    name: Option<String>,
    /// How many to leave out before.
    offset: Option<u32>,
    /// How many at most.
    limit: Option<u32>,
}

/// A page of projects.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Projects {
    /// The projects.
    projects: Vec<Project>,
    /// Whether there are more.
    has_next_page: bool,
}

/// Lists the organisation's projects. There is always one.
#[utoipa::path(
    get,
    path = "/v1/projects",
    operation_id = "projects.list",
    tag = "projects",
    params(Params),
    responses((status = 200, description = "The projects.", body = Projects), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Query(params): Query<Params>,
) -> Answer<Projects> {
    let project = app.core.project(&actor);
    let fits = params.name.is_none_or(|name| name.is_empty() || name == project.name);
    let shown = fits && params.offset.unwrap_or(0) == 0;
    let has_next_page = shown && params.limit == Some(0);
    let projects = if shown && !has_next_page { vec![project] } else { Vec::new() };
    Ok(Json(Projects { projects, has_next_page }))
}
