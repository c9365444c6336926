//! Deletes a template.

use axum::{Json, extract::State};

use super::view::Success;
use crate::{
    app::AppState,
    http::{
        Answer, Caller,
        path::{ProjectName, TemplateName},
    },
    routes::refusals::Refusals,
};

/// Deletes a template with all its versions. Agents that were made from it stay.
#[utoipa::path(
    delete,
    path = "/v1/templates/{project_id}/{template_name}",
    operation_id = "templates.deletetemplate",
    tag = "templates",
    params(
        ("project_id" = String, Path, description = "The project's id or slug"),
        ("template_name" = String, Path, description = "The template's name"),
    ),
    responses((status = 200, description = "It is gone.", body = Success), Refusals)
)]
pub async fn delete(
    State(app): State<AppState>,
    Caller(actor): Caller,
    ProjectName(project): ProjectName,
    TemplateName(name): TemplateName,
) -> Answer<Success> {
    app.core.delete_template(&actor, &project, &name).await?;
    Ok(Json(Success::YES))
}
