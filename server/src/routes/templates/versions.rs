//! Lists the versions of a template.

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::Window;
use crate::{
    app::AppState,
    http::{
        Answer, Caller, Query,
        path::{ProjectName, VersionedName},
    },
    routes::refusals::Refusals,
};

/// Which versions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// How many to leave out before.
    offset: Option<u32>,
    /// How many at most.
    limit: Option<u32>,
}

/// A version.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionView {
    version: String,
    created_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    is_latest: bool,
}

/// A page of versions.
#[derive(Debug, Serialize, ToSchema)]
pub struct Versions {
    versions: Vec<VersionView>,
    has_next_page: bool,
    total_count: i64,
}

/// Lists the versions of a template, the newest first.
#[utoipa::path(
    get,
    path = "/v1/templates/{project_id}/{name}/versions",
    operation_id = "templates.listtemplateversions",
    tag = "templates",
    params(
        ("project_id" = String, Path, description = "The project's id or slug"),
        ("name" = String, Path, description = "The template's name"),
        Params,
    ),
    responses((status = 200, description = "The versions.", body = Versions), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    ProjectName(project): ProjectName,
    VersionedName(name): VersionedName,
    Query(params): Query<Params>,
) -> Answer<Versions> {
    let (limit, offset) = Window { limit: params.limit, offset: params.offset }.bounds();
    let (found, total_count, latest) = app.core.template_versions(&actor, &project, &name, limit, offset).await?;
    let view = |version: mneme_domain::template::TemplateVersion| VersionView {
        version: version.number.to_string(),
        created_at: version.created_at,
        message: version.message,
        is_latest: version.number == latest,
    };
    let versions: Vec<VersionView> = found.into_iter().map(view).collect();
    Ok(Json(Versions { versions, has_next_page: offset.saturating_add(limit) < total_count, total_count }))
}
