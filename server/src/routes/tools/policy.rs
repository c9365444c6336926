//! What a tool may use and reach. An addition to the API: no client library knows it yet.

use axum::{Json, extract::State};
use mneme_core::ToolPolicy;
use mneme_domain::{ToolId, policy::Manifest};
use serde_json::Value;

use crate::{
    app::AppState,
    http::{Answer, Body, Caller, Id},
    routes::refusals::{Common, Refusals},
};

/// Reads what a tool may use and reach: its own policy, the organisation's ceiling, and what comes of both.
#[utoipa::path(
    get,
    path = "/v1/tools/{tool_id}/policy",
    operation_id = "tools.policy.retrieve",
    tag = "tools",
    params(("tool_id" = String, Path, description = "`tool-<uuid4>`")),
    responses((status = 200, description = "The policy.", body = ToolPolicy), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, Id(tool): Id<ToolId>) -> Answer<ToolPolicy> {
    Ok(Json(app.core.tool_policy(&actor, &tool).await?))
}

/// Replaces a tool's own policy. What the body leaves out is as the tool's kind has it.
#[utoipa::path(
    put,
    path = "/v1/tools/{tool_id}/policy",
    operation_id = "tools.policy.replace",
    tag = "tools",
    params(("tool_id" = String, Path, description = "`tool-<uuid4>`")),
    request_body = Manifest,
    responses((status = 200, description = "The policy.", body = ToolPolicy), Refusals)
)]
pub async fn replace(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(tool): Id<ToolId>,
    Body(body): Body<Value>,
) -> Answer<ToolPolicy> {
    Ok(Json(app.core.set_tool_policy(&actor, &tool, body).await?))
}

/// Reads the most that any tool of the organisation may use and reach.
#[utoipa::path(
    get,
    path = "/v1/tools/policy-ceiling",
    operation_id = "tools.ceiling.retrieve",
    tag = "tools",
    responses((status = 200, description = "The ceiling.", body = Manifest), Common)
)]
pub async fn ceiling(State(app): State<AppState>, Caller(actor): Caller) -> Answer<Manifest> {
    Ok(Json(app.core.tool_ceiling(&actor).await?))
}

/// Replaces the organisation's ceiling. What the body leaves out has none.
#[utoipa::path(
    put,
    path = "/v1/tools/policy-ceiling",
    operation_id = "tools.ceiling.replace",
    tag = "tools",
    request_body = Manifest,
    responses((status = 200, description = "The ceiling.", body = Manifest), Common)
)]
pub async fn replace_ceiling(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Body(body): Body<Value>,
) -> Answer<Manifest> {
    Ok(Json(app.core.set_tool_ceiling(&actor, body).await?))
}
