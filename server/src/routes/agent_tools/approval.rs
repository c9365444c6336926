//! Says whether an agent's calls of a tool wait for a person.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, agent::AgentState};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::AppState,
    http::{Answer, Caller, Client, Id, OptionalBody, Query, ToolName, problem::Problem},
    routes::{agent_blocks::agent_after, refusals::Refusals},
};

/// What is wanted.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ModifyApproval {
    /// Whether each call has to be approved. The 1.x library for TypeScript sends it under its own parameter's name.
    #[serde(alias = "body_requires_approval")]
    requires_approval: bool,
}

/// The same, as older clients send it.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct Params {
    /// Whether each call has to be approved.
    requires_approval: Option<bool>,
}

/// Has the agent's calls of the tool wait for approval, or not any more.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/tools/approval/{tool_name}",
    operation_id = "agents.tools.modify-approval",
    tag = "agents/tools",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("tool_name" = String, Path, description = "The name that the tool is called by"),
        Params
    ),
    request_body = Option<ModifyApproval>,
    responses((status = 200, description = "The agent, or nothing to newer clients.", body = Option<AgentState>), Refusals)
)]
pub async fn approval(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(agent): Id<AgentId>,
    ToolName(tool): ToolName,
    Query(params): Query<Params>,
    OptionalBody(body): OptionalBody<ModifyApproval>,
) -> Answer<Option<AgentState>> {
    let Some(wanted) = body.map(|body| body.requires_approval).or(params.requires_approval) else {
        let loc = vec!["body".into(), "requires_approval".into()];
        return Err(Problem::new("missing", loc, "Field required, in the body or in the query").into());
    };
    app.core.set_approval(&actor, &agent, &tool, wanted).await?;
    Ok(Json(agent_after(&app, &actor, &agent, client).await?))
}

/// The same where guides have it.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/tools/{tool_name}/approval",
    operation_id = "agents.tools.modify-approval-of",
    tag = "agents/tools",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("tool_name" = String, Path, description = "The name that the tool is called by"),
        Params
    ),
    request_body = Option<ModifyApproval>,
    responses((status = 200, description = "The agent, or nothing to newer clients.", body = Option<AgentState>), Refusals)
)]
pub async fn approval_of(
    state: State<AppState>,
    caller: Caller,
    client: Client,
    agent: Id<AgentId>,
    tool: ToolName,
    params: Query<Params>,
    body: OptionalBody<ModifyApproval>,
) -> Answer<Option<AgentState>> {
    approval(state, caller, client, agent, tool, params, body).await
}
