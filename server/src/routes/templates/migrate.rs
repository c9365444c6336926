//! Brings agents to another version of their template.

use axum::{Json, extract::State};
use mneme_core::MigrateDeployment;
use mneme_domain::JsonObject;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::Success;
use crate::{
    app::AppState,
    http::{
        Answer, Body, Caller,
        path::{DeploymentName, ProjectName, TemplateName},
    },
    routes::refusals::Refusals,
};

/// Which version, and what the agents keep.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MigrateAgents {
    /// A number, `latest`, or `current` for the state that is edited.
    version: String,
    /// Whether they keep the values of their tools' variables (the default).
    preserve_tool_variables: Option<bool>,
    /// Whether they keep the texts of their blocks (the default).
    preserve_core_memories: Option<bool>,
    /// New values for the `{{variables}}` of the blocks, where texts are not kept.
    #[schema(value_type = Option<Object>)]
    memory_variables: Option<JsonObject>,
}

/// Brings the agents of a deployment to a version of their template. Their history stays.
#[utoipa::path(
    post,
    path = "/v1/templates/{project_id}/{template_name}/deployments/{deployment_id}/migrate",
    operation_id = "templates.migratedeployment",
    tag = "templates",
    params(
        ("project_id" = String, Path, description = "The project's id or slug"),
        ("template_name" = String, Path, description = "The template's name"),
        ("deployment_id" = String, Path, description = "The agents' `deployment_id`"),
    ),
    request_body = MigrateAgents,
    responses((status = 200, description = "They are there.", body = Success), Refusals)
)]
pub async fn migrate(
    State(app): State<AppState>,
    Caller(actor): Caller,
    ProjectName(project): ProjectName,
    TemplateName(name): TemplateName,
    DeploymentName(deployment): DeploymentName,
    Body(body): Body<MigrateAgents>,
) -> Answer<Success> {
    let change = MigrateDeployment {
        preserve_core_memories: body.preserve_core_memories,
        preserve_tool_variables: body.preserve_tool_variables,
        memory_variables: body.memory_variables.unwrap_or_default(),
        ..MigrateDeployment::default()
    };
    app.core.migrate_deployment(&actor, &project, &name, &deployment, &body.version, &change).await?;
    Ok(Json(Success::YES))
}
