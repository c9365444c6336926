//! Saves a version.

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use mneme_core::MigrateDeployment;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    deploy::{self, DeployTemplate, DeployedAgents},
    view::TemplateView,
};
use crate::{
    app::AppState,
    http::{
        ApiError, Caller, Client, OptionalBody,
        path::{ProjectName, TemplateName},
    },
    routes::refusals::Refusals,
};

/// How a version is saved.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct SaveVersion {
    /// When agents are migrated: whether they keep the values of their tools' variables (the default).
    preserve_environment_variables_on_migration: Option<bool>,
    /// When agents are migrated: whether they keep the texts of their blocks (the default).
    preserve_core_memories_on_migration: Option<bool>,
    /// When agents are migrated: whether they keep their folders beside those of the template, or have those of the template
    /// alone. Nothing changes about them when it is left out.
    preserve_sources_on_migration: Option<bool>,
    /// When agents are migrated: what becomes of blocks that the template lacks. They stay as long as texts do when it is left
    /// out.
    #[schema(inline)]
    block_reconciliation_strategy: Option<Reconciliation>,
    /// Bring all agents of the template to the new version.
    migrate_agents: Option<bool>,
    /// What changed.
    message: Option<String>,
}

/// What becomes of an agent's blocks that its template lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reconciliation {
    /// They go from the agent.
    ReconcileAll,
    /// They stay.
    PreserveDeleted,
}

impl SaveVersion {
    /// What changed, and what becomes of the template's agents.
    pub(super) fn parts(self) -> (Option<String>, Option<MigrateDeployment>) {
        let migrate = (self.migrate_agents == Some(true)).then(|| MigrateDeployment {
            preserve_core_memories: self.preserve_core_memories_on_migration,
            preserve_tool_variables: self.preserve_environment_variables_on_migration,
            preserve_sources: self.preserve_sources_on_migration,
            drop_blocks: self.block_reconciliation_strategy.map(|how| how == Reconciliation::ReconcileAll),
            ..MigrateDeployment::default()
        });
        (self.message, migrate)
    }
}

/// Saves the state that is edited as a new version. With a version behind the name, `name:2`, agents are made of that one
/// instead, as by the address that ends in `/agents`.
#[utoipa::path(
    post,
    path = "/v1/templates/{project_id}/{template_name}",
    operation_id = "templates.savetemplateversion",
    tag = "templates",
    params(
        ("project_id" = String, Path, description = "The project's id or slug"),
        ("template_name" = String, Path, description = "The template's name"),
    ),
    request_body = SaveVersion,
    responses(
        (status = 200, description = "The template.", body = TemplateView),
        (status = 201, description = "The agents of the version that was named.", body = DeployedAgents),
        Refusals,
    )
)]
pub async fn save(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    ProjectName(project): ProjectName,
    TemplateName(name): TemplateName,
    request: Request,
) -> Result<Response, ApiError> {
    if name.contains(':') {
        let OptionalBody(body) = OptionalBody::<DeployTemplate>::from_request(request, &app).await?;
        return Ok(deploy::made(&app, &actor, client, &project, &name, body).await?.into_response());
    }
    let OptionalBody(body) = OptionalBody::<SaveVersion>::from_request(request, &app).await?;
    let (message, migrate) = body.unwrap_or_default().parts();
    let template = app.core.save_template(&actor, &project, &name, message, migrate).await?;
    Ok(Json(TemplateView::of(&app.core.project(&actor), template)).into_response())
}
