//! Makes a template of another one.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::TemplateView;
use crate::{
    app::AppState,
    http::{
        Answer, Caller, OptionalBody,
        path::{ProjectName, TemplateVersionName},
    },
    routes::refusals::{Detail, Refusals},
};

/// The new template.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct ForkTemplate {
    /// Its name; the old one with `-fork` behind when left out.
    name: Option<String>,
}

/// Makes a template of a version of another one.
#[utoipa::path(
    post,
    path = "/v1/templates/{project_id}/{template_version}/fork",
    operation_id = "templates.forktemplate",
    tag = "templates",
    params(
        ("project_id" = String, Path, description = "The project's id or slug"),
        ("template_version" = String, Path, description = "`name:version`"),
    ),
    request_body = ForkTemplate,
    responses(
        (status = 200, description = "The new template.", body = TemplateView),
        (status = 409, description = "The name is taken.", body = Detail),
        Refusals,
    )
)]
pub async fn fork(
    State(app): State<AppState>,
    Caller(actor): Caller,
    ProjectName(project): ProjectName,
    TemplateVersionName(name): TemplateVersionName,
    OptionalBody(body): OptionalBody<ForkTemplate>,
) -> Answer<TemplateView> {
    let template = app.core.fork_template(&actor, &project, &name, body.unwrap_or_default().name).await?;
    Ok(Json(TemplateView::of(&app.core.project(&actor), template)))
}
