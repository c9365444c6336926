//! Gives an agent a folder.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, SourceId, agent::AgentState};

use crate::{
    app::AppState,
    http::{Answer, Caller, Client, Id, path::FolderId},
    routes::{agent_blocks::agent_after, refusals::Refusals},
};

/// Gives the agent a folder and the tools for files.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/folders/attach/{folder_id}",
    operation_id = "agents.folders.attach",
    tag = "agents/folders",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("folder_id" = String, Path, description = "`source-<uuid4>`")
    ),
    responses((status = 200, description = "The agent, or nothing to newer clients.", body = Option<AgentState>), Refusals)
)]
pub async fn attach(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(agent): Id<AgentId>,
    FolderId(folder): FolderId,
) -> Answer<Option<AgentState>> {
    app.core.attach_folder(&actor, &agent, &folder).await?;
    Ok(Json(agent_after(&app, &actor, &agent, client).await?))
}

/// Gives the agent a folder and the tools for files.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/sources/attach/{source_id}",
    operation_id = "agents.sources.attach",
    tag = "agents/sources",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("source_id" = String, Path, description = "`source-<uuid4>`")
    ),
    responses((status = 200, description = "The agent, or nothing to newer clients.", body = Option<AgentState>), Refusals)
)]
pub async fn attach_source(
    app: State<AppState>,
    caller: Caller,
    client: Client,
    agent: Id<AgentId>,
    Id(folder): Id<SourceId>,
) -> Answer<Option<AgentState>> {
    attach(app, caller, client, agent, FolderId(folder)).await
}
