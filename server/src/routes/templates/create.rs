//! Makes a template.

use axum::{Json, extract::State, http::StatusCode};
use mneme_core::TemplateSource;
use mneme_domain::{AgentId, JsonObject};
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::TemplateView;
use crate::{
    app::AppState,
    http::{ApiError, Body, Caller, Client, path::ProjectName},
    routes::refusals::{Detail, Refusals},
};

/// What the template is made of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CreateTemplate {
    /// An agent as it is now.
    Agent {
        /// The agent.
        #[schema(value_type = String)]
        agent_id: AgentId,
        /// The template's name; the agent's when left out.
        name: Option<String>,
    },
    /// An agent file.
    AgentFile {
        /// The file.
        #[schema(value_type = Object)]
        agent_file: JsonObject,
        /// The template's name; the agent's when left out.
        name: Option<String>,
        /// Let the file's tools take the place of users' tools of the same names.
        update_existing_tools: Option<bool>,
    },
}

impl CreateTemplate {
    /// What it is made of, and its name.
    pub(super) fn source(self) -> (TemplateSource, Option<String>) {
        match self {
            Self::Agent { agent_id, name } => (TemplateSource::Agent(agent_id), name),
            Self::AgentFile { agent_file, name, update_existing_tools } => {
                let update_tools = update_existing_tools.unwrap_or(false);
                (TemplateSource::File { content: agent_file, update_tools }, name)
            }
        }
    }
}

/// Makes a template of an agent or of an agent file. It begins with version 1.
#[utoipa::path(
    post,
    path = "/v1/templates/{project_id}",
    operation_id = "templates.createtemplate",
    tag = "templates",
    params(("project_id" = String, Path, description = "The project's id or slug")),
    request_body = CreateTemplate,
    responses(
        (status = 201, description = "The template.", body = TemplateView),
        (status = 400, description = "It cannot be a template; the text says why.", body = Detail),
        (status = 409, description = "The name is taken.", body = Detail),
        Refusals,
    )
)]
pub async fn create(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    ProjectName(project): ProjectName,
    Body(body): Body<CreateTemplate>,
) -> Result<(StatusCode, Json<TemplateView>), ApiError> {
    let (source, name) = body.source();
    let kind = client.default_agent_type();
    let template = app.core.create_template(&actor, &project, source, name, kind).await?;
    Ok((StatusCode::CREATED, Json(TemplateView::of(&app.core.project(&actor), template))))
}
