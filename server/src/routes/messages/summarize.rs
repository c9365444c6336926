//! Sums up an agent's older messages.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use mneme_core::Compaction;
use mneme_domain::{AgentId, compaction::CompactionSettings};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::AppState,
    http::{ApiError, Caller, Client, Id, OptionalBody, Query},
    routes::refusals::Refusals,
};

/// How it is to be done.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct Summarize {
    /// What leaves, and who sums it up; as the agent's own settings say when left out.
    compaction_settings: Option<CompactionSettings>,
}

/// How much is to stay.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// How many messages stay in the context at most, of older clients.
    max_message_length: Option<usize>,
}

/// Takes older messages out of the agent's context and puts a summary in their place. They stay in its history.
#[utoipa::path(
    post,
    path = "/v1/agents/{agent_id}/summarize",
    operation_id = "agents.messages.summarize",
    tag = "agents/messages",
    params(("agent_id" = String, Path, description = "`agent-<uuid4>`"), Params),
    request_body = Option<Summarize>,
    responses(
        (status = 204, description = "Done."),
        (status = 200, description = "Done; to clients of 1.x.", body = Compacted),
        Refusals
    )
)]
pub async fn summarize(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Id(agent): Id<AgentId>,
    Query(params): Query<Params>,
    OptionalBody(body): OptionalBody<Summarize>,
) -> Result<Response, ApiError> {
    let settings = body.unwrap_or_default().compaction_settings;
    let most = params.max_message_length;
    let Compaction { summary, before, after } = app.core.summarize_messages(&actor, &agent, settings, most).await?;
    Ok(match client {
        Client::Classic => StatusCode::NO_CONTENT.into_response(),
        Client::Current => {
            Json(Compacted { summary, num_messages_before: before, num_messages_after: after }).into_response()
        }
    })
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Compacted {
    /// What stands for the messages that left; empty when none could.
    summary: String,
    /// Messages in the context until then.
    num_messages_before: usize,
    /// Messages in it now.
    num_messages_after: usize,
}
