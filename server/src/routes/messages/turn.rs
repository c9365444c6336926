//! What the routes that start a turn share.

use axum::response::Response;
use mneme_domain::{Actor, AgentId, envelope::Envelope, request::SendRequest, run::StopReason};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    app::AppState,
    http::{
        ApiError,
        problem::Problem,
        sse::{self, Manner},
    },
};

/// Refuses a request that says nothing at all.
pub fn require_input(request: &SendRequest) -> Result<(), Problem> {
    if request.messages.is_some() || request.input.is_some() {
        return Ok(());
    }
    Err(Problem::new("missing", vec!["body".into(), "messages".into()], "Field required").input(json!({})))
}

/// Starts a turn and answers with its events.
pub async fn stream(
    app: &AppState,
    actor: &Actor,
    agent: &AgentId,
    request: SendRequest,
) -> Result<Response, ApiError> {
    let ping = (request.include_pings == Some(true)).then_some(app.ping);
    if request.background == Some(true) {
        let (run, events) = app.core.start_background_stream(actor, agent, request).await?;
        let manner = Manner { ping, patience: app.ping, run_id: Some(run.to_string()) };
        return Ok(sse::respond(events, manner).await);
    }
    let events = app.core.start_stream(actor, agent, request).await?;
    let manner = Manner { ping, patience: app.ping, run_id: Some(events.run_id().to_string()) };
    Ok(sse::respond(events, manner).await)
}

/// A finished turn.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `create` writes")]
pub struct Turn {
    /// What the agent said and did.
    messages: Vec<Envelope>,
    /// Why the turn ended.
    stop_reason: Stop,
    /// What it used.
    usage: Usage,
    /// The log probabilities of the last answer's tokens, as OpenAI writes them; where they were asked for.
    #[schema(value_type = Option<Object>)]
    logprobs: Option<serde_json::Value>,
}

/// Why a turn ended.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `sse::stop` writes")]
pub struct Stop {
    /// Always `stop_reason`.
    message_type: String,
    stop_reason: StopReason,
}

/// What a turn used.
#[derive(ToSchema)]
#[schema(as = TurnUsage)]
#[expect(dead_code, reason = "describes what `sse::usage` writes")]
pub struct Usage {
    /// Always `usage_statistics`.
    message_type: String,
    completion_tokens: i64,
    prompt_tokens: i64,
    total_tokens: i64,
    /// Model calls.
    step_count: i64,
    /// Always null.
    run_ids: Option<Vec<String>>,
}
