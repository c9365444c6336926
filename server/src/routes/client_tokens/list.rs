//! Lists tokens.

use axum::{Json, extract::State};
use mneme_domain::AgentId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::TokenView;
use crate::{
    app::AppState,
    http::{Answer, Caller, Query, path::parse_query},
    routes::refusals::Common,
};

/// Tokens of a page unless the client says otherwise.
const DEFAULT: u32 = 50;
/// The most tokens of a page.
const MOST: u32 = 1000;

/// Which tokens.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Only tokens for this agent.
    #[serde(rename = "agentId")]
    agent_id: Option<String>,
    /// How many to leave out before.
    offset: Option<u32>,
    /// How many at most.
    limit: Option<u32>,
}

/// A page of tokens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    tokens: Vec<TokenView>,
    has_next_page: bool,
}

/// Lists tokens, the newest first.
#[utoipa::path(
    get,
    path = "/v1/client-side-access-tokens",
    operation_id = "clientSideAccessTokens.client-side-access-tokens-list-client-side-access-tokens",
    tag = "client-side-access-tokens",
    params(Params),
    responses((status = 200, description = "The tokens.", body = Tokens), Common)
)]
pub async fn list(State(app): State<AppState>, Caller(actor): Caller, Query(params): Query<Params>) -> Answer<Tokens> {
    let given = params.agent_id.filter(|id| !id.is_empty());
    let agent = given.map(|id| parse_query::<AgentId>("agentId", &id)).transpose()?;
    let limit = params.limit.unwrap_or(DEFAULT).min(MOST);
    let offset = i64::from(params.offset.unwrap_or(0));
    // One more tells whether there is a next page.
    let found = app.core.list_client_tokens(&actor, agent.as_ref(), i64::from(limit) + 1, offset).await?;
    let mut tokens: Vec<TokenView> = found.into_iter().map(TokenView::from).collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_next_page = tokens.len() > limit;
    tokens.truncate(limit);
    Ok(Json(Tokens { tokens, has_next_page }))
}
