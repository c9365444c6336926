//! Says whether calls of an agent's tool need approval.

use axum::{
    Json,
    body::Bytes,
    extract::{Query, State},
};
use mneme_core::CoreError;
use mneme_domain::{AgentId, agent::AgentState};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::AppState,
    http::{Answer, Caller, Client, Id, path::ToolName},
    routes::{agent_blocks::agent_after, refusals::Refusals},
};

/// Whether calls need approval.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ModifyApproval {
    requires_approval: bool,
}

/// The same in the query, as older clients send it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ApprovalParams {
    requires_approval: Option<bool>,
}

/// Says whether a person has to approve each call that the agent makes of a tool.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/tools/approval/{tool_name}",
    operation_id = "agents.tools.modify-approval",
    tag = "agents/tools",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("tool_name" = String, Path, description = "The tool's name, as the model calls it"),
        ApprovalParams
    ),
    request_body = Option<ModifyApproval>,
    responses((status = 200, description = "The agent, or nothing to newer clients.", body = Option<AgentState>), Refusals)
)]
pub async fn modify(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(agent): Id<AgentId>,
    ToolName(tool): ToolName,
    Query(params): Query<ApprovalParams>,
    body: Bytes,
) -> Answer<Option<AgentState>> {
    let given = if body.trim_ascii().is_empty() || body.trim_ascii() == b"null" {
        params.requires_approval
    } else {
        let parsed: Result<ModifyApproval, _> = serde_json::from_slice(&body);
        Some(parsed.map_err(|error| CoreError::field("requires_approval", error.to_string()))?.requires_approval)
    };
    let Some(required) = given else {
        let text = "requires_approval must be provided either in request body or as query parameter";
        return Err(CoreError::field("requires_approval", text).into());
    };
    app.core.set_approval(&actor, &agent, &tool, required).await?;
    Ok(Json(agent_after(&app, &actor, &agent, client).await?))
}
