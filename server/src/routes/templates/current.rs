//! Templates as newer clients (1.x) address them: without a project, which is the organisation's own.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    agent_file::ReplaceByFile,
    create::CreateTemplate,
    deploy::{self, DeployTemplate, DeployedAgents},
    save::SaveVersion,
    view::{Success, TemplateView},
};
use crate::{
    app::AppState,
    http::{
        Answer, ApiError, Body, Caller, Client, OptionalBody,
        path::{ProjectName, TemplateName, TemplateVersionName},
    },
    routes::refusals::{Common, Detail, Refusals},
};

/// Makes a template of an agent or of an agent file. It begins with version 1.
#[utoipa::path(
    post,
    path = "/v1/templates",
    operation_id = "templates.create",
    tag = "templates",
    request_body = CreateTemplate,
    responses(
        (status = 201, description = "The template.", body = TemplateView),
        (status = 400, description = "It cannot be a template; the text says why.", body = Detail),
        (status = 409, description = "The name is taken.", body = Detail),
        Common,
    )
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Body(body): Body<CreateTemplate>,
) -> Result<(StatusCode, Json<TemplateView>), ApiError> {
    let project = app.core.project(&actor);
    let (source, name) = body.source();
    let kind = client.default_agent_type();
    let template = app.core.create_template(&actor, &project.id, source, name, kind).await?;
    Ok((StatusCode::CREATED, Json(TemplateView::of(&project, template))))
}

/// Replaces the state that is edited by what an agent file holds.
// The path's other method names a project at this place, and a place has one name.
#[utoipa::path(
    patch,
    path = "/v1/templates/{project_id}",
    operation_id = "templates.update",
    tag = "templates",
    params(("project_id" = String, Path, description = "The template's name")),
    request_body = ReplaceByFile,
    responses(
        (status = 200, description = "It is replaced.", body = Success),
        (status = 400, description = "The file is wrong; the text says where and why.", body = Detail),
        Refusals,
    )
)]
pub async fn replace(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    ProjectName(name): ProjectName,
    Body(body): Body<ReplaceByFile>,
) -> Answer<Success> {
    let project = app.core.project(&actor);
    let (source, save_before) = body.source();
    let kind = client.default_agent_type();
    app.core.set_template_from(&actor, &project.id, &name, source, save_before, kind).await?;
    Ok(Json(Success::YES))
}

/// Deletes a template with all its versions. Agents that were made from it stay.
#[utoipa::path(
    delete,
    path = "/v1/templates/{project_id}",
    operation_id = "templates.delete",
    tag = "templates",
    params(("project_id" = String, Path, description = "The template's name")),
    responses((status = 200, description = "It is gone.", body = Success), Refusals)
)]
pub async fn delete(
    State(app): State<AppState>,
    Caller(actor): Caller,
    ProjectName(name): ProjectName,
) -> Answer<Success> {
    app.core.delete_template(&actor, &app.core.project(&actor).id, &name).await?;
    Ok(Json(Success::YES))
}

/// Saves the state that is edited as a new version.
#[utoipa::path(
    post,
    path = "/v1/templates/{template_name}/save",
    operation_id = "templates.save",
    tag = "templates",
    params(("template_name" = String, Path, description = "The template's name")),
    request_body = SaveVersion,
    responses((status = 200, description = "The template.", body = TemplateView), Refusals)
)]
pub async fn save(
    State(app): State<AppState>,
    Caller(actor): Caller,
    TemplateName(name): TemplateName,
    OptionalBody(body): OptionalBody<SaveVersion>,
) -> Answer<TemplateView> {
    let project = app.core.project(&actor);
    let (message, migrate) = body.unwrap_or_default().parts();
    let template = app.core.save_template(&actor, &project.id, &name, message, migrate).await?;
    Ok(Json(TemplateView::of(&project, template)))
}

/// The version to go back to.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Rollback {
    /// A number, or `latest`.
    version: String,
}

/// Replaces the state that is edited by that of a version.
#[utoipa::path(
    post,
    path = "/v1/templates/{template_name}/rollback",
    operation_id = "templates.rollback",
    tag = "templates",
    params(("template_name" = String, Path, description = "The template's name")),
    request_body = Rollback,
    responses(
        (status = 200, description = "It is replaced.", body = Success),
        (status = 400, description = "It is no saved version.", body = Detail),
        Refusals,
    )
)]
pub async fn rollback(
    State(app): State<AppState>,
    Caller(actor): Caller,
    TemplateName(name): TemplateName,
    Body(body): Body<Rollback>,
) -> Answer<Success> {
    app.core.rollback_template(&actor, &app.core.project(&actor).id, &name, &body.version).await?;
    Ok(Json(Success::YES))
}

/// Makes the agents of a template's version: `name:2`, `name:latest`, or `name:current` for the state that is edited.
#[utoipa::path(
    post,
    path = "/v1/templates/{template_version}/agents",
    operation_id = "templates.agents.create",
    tag = "templates",
    params(("template_version" = String, Path, description = "`name:version`")),
    request_body = DeployTemplate,
    responses(
        (status = 201, description = "The agents.", body = DeployedAgents),
        (status = 400, description = "They cannot be made; the text says why.", body = Detail),
        Refusals,
    )
)]
pub async fn deploy(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    TemplateVersionName(name): TemplateVersionName,
    OptionalBody(body): OptionalBody<DeployTemplate>,
) -> Result<(StatusCode, Json<DeployedAgents>), ApiError> {
    let project = app.core.project(&actor);
    deploy::made(&app, &actor, client, &project.id, &name, body).await
}
