//! Reads what a run used.

use axum::{Json, extract::State};
use mneme_domain::{JsonObject, RunId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{Answer, Caller, Id},
    routes::refusals::Refusals,
};

/// Tokens of a run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunUsage)]
pub struct Usage {
    completion_tokens: i64,
    prompt_tokens: i64,
    total_tokens: i64,
    /// Not told apart.
    #[schema(value_type = Option<Object>)]
    prompt_tokens_details: Option<JsonObject>,
    /// Not told apart.
    #[schema(value_type = Option<Object>)]
    completion_tokens_details: Option<JsonObject>,
}

/// Reads how many tokens a run used.
#[utoipa::path(
    get,
    path = "/v1/runs/{run_id}/usage",
    operation_id = "runs.usage.retrieve",
    tag = "runs",
    params(("run_id" = String, Path, description = "`run-<uuid4>`")),
    responses((status = 200, description = "The tokens.", body = Usage), Refusals)
)]
pub async fn retrieve(State(app): State<AppState>, Caller(actor): Caller, Id(run): Id<RunId>) -> Answer<Usage> {
    let usage = app.core.run_usage(&actor, &run).await?;
    Ok(Json(Usage {
        completion_tokens: usage.completion_tokens,
        prompt_tokens: usage.prompt_tokens,
        total_tokens: usage.total_tokens,
        prompt_tokens_details: None,
        completion_tokens_details: None,
    }))
}
