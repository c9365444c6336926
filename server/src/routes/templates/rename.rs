//! Renames a template.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::Success;
use crate::{
    app::AppState,
    http::{
        Answer, Body, Caller,
        path::{ProjectName, TemplateName},
    },
    routes::refusals::{Detail, Refusals},
};

/// The new name.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RenameTemplate {
    /// A version behind it is left out.
    new_name: String,
}

/// Renames a template with all its versions.
#[utoipa::path(
    patch,
    path = "/v1/templates/{project_id}/{template_name}/name",
    operation_id = "templates.renametemplate",
    tag = "templates",
    params(
        ("project_id" = String, Path, description = "The project's id or slug"),
        ("template_name" = String, Path, description = "The template's name"),
    ),
    request_body = RenameTemplate,
    responses(
        (status = 200, description = "It is renamed.", body = Success),
        (status = 409, description = "The name is taken.", body = Detail),
        Refusals,
    )
)]
pub async fn rename(
    State(app): State<AppState>,
    Caller(actor): Caller,
    ProjectName(project): ProjectName,
    TemplateName(name): TemplateName,
    Body(body): Body<RenameTemplate>,
) -> Answer<Success> {
    app.core.rename_template(&actor, &project, &name, &body.new_name).await?;
    Ok(Json(Success::YES))
}
