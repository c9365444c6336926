//! Gives an agent an archive, or takes one.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, ArchiveId};

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Lets the agent read and fill the archive. Agents may share one.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/archives/attach/{archive_id}",
    operation_id = "agents.archives.attach",
    tag = "agents/archives",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("archive_id" = String, Path, description = "`archive-<uuid4>`")
    ),
    responses((status = 200, description = "Done; the body is null."), Refusals)
)]
pub async fn attach(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Id(archive): Id<ArchiveId>,
) -> Answer<()> {
    app.core.attach_archive(&actor, &agent, &archive).await?;
    Ok(Json(()))
}

/// Takes the archive from the agent. The archive itself stays.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/archives/detach/{archive_id}",
    operation_id = "agents.archives.detach",
    tag = "agents/archives",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("archive_id" = String, Path, description = "`archive-<uuid4>`")
    ),
    responses((status = 200, description = "Done; the body is null."), Refusals)
)]
pub async fn detach(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Id(archive): Id<ArchiveId>,
) -> Answer<()> {
    app.core.detach_archive(&actor, &agent, &archive).await?;
    Ok(Json(()))
}
