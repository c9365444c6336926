//! Makes agents of a template.

use axum::{Json, extract::State, http::StatusCode};
use mneme_core::{Deploy, Deployed};
use mneme_domain::{Actor, AgentId, DeploymentId, JsonObject, agent::AgentState, request::MessageCreate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{
        ApiError, Caller, Client, OptionalBody,
        path::{ProjectName, TemplateVersionName},
    },
    routes::refusals::{Detail, Refusals},
};

/// What the agents have beyond the template.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct DeployTemplate {
    /// Labels instead of the template's.
    tags: Option<Vec<String>>,
    /// A name instead of the template's.
    agent_name: Option<String>,
    /// The messages that they begin with.
    initial_message_sequence: Option<Vec<MessageCreate>>,
    /// Values for the `{{variables}}` of the blocks; `variables` means the same.
    #[serde(alias = "variables")]
    #[schema(value_type = Option<Object>)]
    memory_variables: Option<JsonObject>,
    /// Values of variables that their tools see.
    #[schema(value_type = Option<Object>)]
    tool_variables: Option<JsonObject>,
    /// Identities that they belong to, each by its identifier or its `identifier_key`.
    identity_ids: Option<Vec<String>>,
}

impl DeployTemplate {
    /// The same for the core.
    pub(super) fn deploy(self) -> Deploy {
        Deploy {
            tags: self.tags,
            agent_name: self.agent_name,
            initial_message_sequence: self.initial_message_sequence,
            memory_variables: self.memory_variables.unwrap_or_default(),
            tool_variables: self.tool_variables,
            identity_ids: self.identity_ids,
        }
    }
}

/// The new agents.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeployedAgents {
    agents: Vec<AgentState>,
    #[schema(value_type = Vec<String>)]
    agent_ids: Vec<AgentId>,
    /// Names them together, to migrate them.
    #[schema(value_type = String)]
    deployment_id: DeploymentId,
}

impl From<Deployed> for DeployedAgents {
    fn from(deployed: Deployed) -> Self {
        let agent_ids = deployed.agent_ids();
        Self { agents: deployed.agents, agent_ids, deployment_id: deployed.deployment_id }
    }
}

/// Makes the agents of a template's version: `name:2`, `name:latest`, or `name:current` for the state that is edited.
#[utoipa::path(
    post,
    path = "/v1/templates/{project_id}/{template_version}/agents",
    operation_id = "templates.createagentsfromtemplate",
    tag = "templates",
    params(
        ("project_id" = String, Path, description = "The project's id or slug"),
        ("template_version" = String, Path, description = "`name:version`"),
    ),
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
    ProjectName(project): ProjectName,
    TemplateVersionName(name): TemplateVersionName,
    OptionalBody(body): OptionalBody<DeployTemplate>,
) -> Result<(StatusCode, Json<DeployedAgents>), ApiError> {
    made(&app, &actor, client, &project, &name, body).await
}

/// The agents of a version, and their status.
pub(super) async fn made(
    app: &AppState,
    actor: &Actor,
    client: Client,
    project: &str,
    name: &str,
    body: Option<DeployTemplate>,
) -> Result<(StatusCode, Json<DeployedAgents>), ApiError> {
    let deploy = body.unwrap_or_default().deploy();
    let kind = client.default_agent_type();
    let deployed = app.core.deploy_template(actor, project, name, deploy, kind).await?;
    Ok((StatusCode::CREATED, Json(deployed.into())))
}
