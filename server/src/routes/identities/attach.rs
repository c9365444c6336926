//! Gives agents and blocks to identities and takes them away.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, BlockId, IdentityId, block::Block};
use serde_json::Value;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Has the agent belong to the identity.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/identities/attach/{identity_id}",
    operation_id = "agents.identities.attach",
    tag = "agents/identities",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("identity_id" = String, Path, description = "`identity-<uuid4>`")
    ),
    responses((status = 200, description = "It does."), Refusals)
)]
pub async fn to_agent(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Id(identity): Id<IdentityId>,
) -> Answer<Value> {
    app.core.set_agent_identity(&actor, &agent, &identity, true).await?;
    Ok(Json(Value::Null))
}

/// Has the agent belong to the identity no longer.
#[utoipa::path(
    patch,
    path = "/v1/agents/{agent_id}/identities/detach/{identity_id}",
    operation_id = "agents.identities.detach",
    tag = "agents/identities",
    params(
        ("agent_id" = String, Path, description = "`agent-<uuid4>`"),
        ("identity_id" = String, Path, description = "`identity-<uuid4>`")
    ),
    responses((status = 200, description = "It does not."), Refusals)
)]
pub async fn from_agent(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Id(identity): Id<IdentityId>,
) -> Answer<Value> {
    app.core.set_agent_identity(&actor, &agent, &identity, false).await?;
    Ok(Json(Value::Null))
}

/// Has the block belong to the identity.
#[utoipa::path(
    patch,
    path = "/v1/blocks/{block_id}/identities/attach/{identity_id}",
    operation_id = "blocks.identities.attach",
    tag = "blocks",
    params(
        ("block_id" = String, Path, description = "`block-<uuid4>`"),
        ("identity_id" = String, Path, description = "`identity-<uuid4>`")
    ),
    responses((status = 200, description = "The block.", body = Block), Refusals)
)]
pub async fn to_block(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(block): Id<BlockId>,
    Id(identity): Id<IdentityId>,
) -> Answer<Block> {
    Ok(Json(app.core.set_block_identity(&actor, &block, &identity, true).await?))
}

/// Has the block belong to the identity no longer.
#[utoipa::path(
    patch,
    path = "/v1/blocks/{block_id}/identities/detach/{identity_id}",
    operation_id = "blocks.identities.detach",
    tag = "blocks",
    params(
        ("block_id" = String, Path, description = "`block-<uuid4>`"),
        ("identity_id" = String, Path, description = "`identity-<uuid4>`")
    ),
    responses((status = 200, description = "The block.", body = Block), Refusals)
)]
pub async fn from_block(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(block): Id<BlockId>,
    Id(identity): Id<IdentityId>,
) -> Answer<Block> {
    Ok(Json(app.core.set_block_identity(&actor, &block, &identity, false).await?))
}
