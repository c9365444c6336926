//! Lists the agents of an identity.

use axum::{Json, extract::State};
use mneme_domain::{IdentityId, Order, agent::AgentState};

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Id, Paging, Wanted,
        include::IncludeParams,
        page::{DEFAULT_LIMIT, PageParams},
    },
    routes::refusals::Refusals,
};

/// Lists the agents of the identity.
#[utoipa::path(
    get,
    path = "/v1/identities/{identity_id}/agents",
    operation_id = "identities.agents.list",
    tag = "identities",
    params(("identity_id" = String, Path, description = "`identity-<uuid4>`"), PageParams, IncludeParams),
    responses((status = 200, description = "The agents.", body = Vec<AgentState>), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(identity): Id<IdentityId>,
    paging: Paging,
    Wanted(include): Wanted,
) -> Answer<Vec<AgentState>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.identity_agents(&actor, &identity, &page, include).await?))
}
