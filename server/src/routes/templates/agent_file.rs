//! Replaces the state of a template by an agent file.

use axum::{Json, extract::State};
use mneme_core::TemplateSource;
use mneme_domain::JsonObject;
use serde::Deserialize;
use utoipa::ToSchema;

use super::view::Success;
use crate::{
    app::AppState,
    http::{
        Answer, Body, Caller, Client,
        path::{ProjectName, TemplateName},
    },
    routes::refusals::{Detail, Refusals},
};

/// The file, and what becomes of what was there.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ReplaceByFile {
    /// The agent file.
    #[schema(value_type = Object)]
    agent_file_json: JsonObject,
    /// Let the file's tools take the place of users' tools of the same names.
    update_existing_tools: Option<bool>,
    /// Save the state that is replaced as a version before.
    save_existing_changes: Option<bool>,
}

impl ReplaceByFile {
    /// The file, and whether to save what was there before.
    pub(super) fn source(self) -> (TemplateSource, bool) {
        let update_tools = self.update_existing_tools.unwrap_or(false);
        let source = TemplateSource::File { content: self.agent_file_json, update_tools };
        (source, self.save_existing_changes.unwrap_or(false))
    }
}

/// Replaces the state that is edited by what an agent file holds.
#[utoipa::path(
    put,
    path = "/v1/templates/{project_id}/{template_name}/agent-file",
    operation_id = "templates.updatecurrenttemplatefromagentfile",
    tag = "templates",
    params(
        ("project_id" = String, Path, description = "The project's id or slug"),
        ("template_name" = String, Path, description = "The template's name"),
    ),
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
    ProjectName(project): ProjectName,
    TemplateName(name): TemplateName,
    Body(body): Body<ReplaceByFile>,
) -> Answer<Success> {
    let (source, save_before) = body.source();
    app.core.set_template_from(&actor, &project, &name, source, save_before, client.default_agent_type()).await?;
    Ok(Json(Success::YES))
}
