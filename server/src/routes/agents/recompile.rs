//! Writes an agent's system prompt anew.

use axum::extract::State;
use mneme_domain::AgentId;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{ApiError, Caller, Id, Query, query},
    routes::refusals::Refusals,
};

/// What is kept.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Show the prompt without keeping it.
    #[serde(default, deserialize_with = "query::flag")]
    dry_run: Option<bool>,
    /// Have the prompt say that memory changed just now, also when it did not.
    #[serde(default, deserialize_with = "query::flag")]
    update_timestamp: Option<bool>,
}

/// Writes the agent's system prompt from its memory as it is now. Turns do this by themselves when memory has changed.
#[utoipa::path(
    post,
    path = "/v1/agents/{agent_id}/recompile",
    operation_id = "agents.recompile",
    tag = "agents",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), Params),
    responses((status = 200, description = "The prompt, as plain text.", body = String, content_type = "text/plain"), Refusals)
)]
pub async fn recompile(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(agent): Id<AgentId>,
    Query(params): Query<Params>,
) -> Result<String, ApiError> {
    let (dry_run, touched) = (params.dry_run.unwrap_or(false), params.update_timestamp.unwrap_or(false));
    // Plain text: of a JSON string one of the libraries would hand out the quotes as well.
    Ok(app.core.recompile_prompt(&actor, &agent, dry_run, touched).await?)
}
