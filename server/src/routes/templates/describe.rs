//! Says what a template is for.

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
    routes::refusals::Refusals,
};

/// The description.
#[derive(Debug, Deserialize, ToSchema)]
pub struct DescribeTemplate {
    /// Left out, the template has none.
    description: Option<String>,
}

/// Describes a template.
#[utoipa::path(
    patch,
    path = "/v1/templates/{project_id}/{template_name}/description",
    operation_id = "templates.updatetemplatedescription",
    tag = "templates",
    params(
        ("project_id" = String, Path, description = "The project's id or slug"),
        ("template_name" = String, Path, description = "The template's name"),
    ),
    request_body = DescribeTemplate,
    responses((status = 200, description = "It is described.", body = Success), Refusals)
)]
pub async fn describe(
    State(app): State<AppState>,
    Caller(actor): Caller,
    ProjectName(project): ProjectName,
    TemplateName(name): TemplateName,
    Body(body): Body<DescribeTemplate>,
) -> Answer<Success> {
    app.core.describe_template(&actor, &project, &name, body.description.as_deref()).await?;
    Ok(Json(Success::YES))
}
