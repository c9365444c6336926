//! The state of a template.

use axum::{Json, extract::State};
use mneme_domain::template::TemplateState;

use super::view::Success;
use crate::{
    app::AppState,
    http::{
        Answer, Body, Caller,
        path::{ProjectName, TemplateVersionName},
    },
    routes::refusals::{Detail, Refusals},
};

/// Reads the state of a template's version.
#[utoipa::path(
    get,
    path = "/v1/templates/{project_id}/{template_version}/snapshot",
    operation_id = "templates.gettemplatesnapshot",
    tag = "templates",
    params(
        ("project_id" = String, Path, description = "The project's id or slug"),
        ("template_version" = String, Path, description = "`name:version`"),
    ),
    responses((status = 200, description = "The state.", body = TemplateState), Refusals)
)]
pub async fn retrieve(
    State(app): State<AppState>,
    Caller(actor): Caller,
    ProjectName(project): ProjectName,
    TemplateVersionName(name): TemplateVersionName,
) -> Answer<TemplateState> {
    Ok(Json(app.core.template_snapshot(&actor, &project, &name).await?))
}

/// Replaces the state that is edited. Versions stay as they are; the one in the path does not matter.
#[utoipa::path(
    put,
    path = "/v1/templates/{project_id}/{template_version}/snapshot",
    operation_id = "templates.setcurrenttemplatefromsnapshot",
    tag = "templates",
    params(
        ("project_id" = String, Path, description = "The project's id or slug"),
        ("template_version" = String, Path, description = "`name:version`"),
    ),
    request_body = TemplateState,
    responses(
        (status = 200, description = "It is replaced.", body = Success),
        (status = 400, description = "No agent can begin like this; the text says why.", body = Detail),
        Refusals,
    )
)]
pub async fn replace(
    State(app): State<AppState>,
    Caller(actor): Caller,
    ProjectName(project): ProjectName,
    TemplateVersionName(name): TemplateVersionName,
    Body(state): Body<TemplateState>,
) -> Answer<Success> {
    app.core.set_template(&actor, &project, &name, state).await?;
    Ok(Json(Success::YES))
}
