//! The door for OpenAI's clients: an agent as a model that completes chats.
//!
//! The agent has its own memory, instructions and tools. So of the chat that a client sends along only what was said
//! since the last answer goes to the agent; instructions, sampling parameters and tools in the request are left alone.

mod answer;
mod completions;
mod request;
mod voice;

use axum::response::Response;
use mneme_domain::{Actor, AgentId, agent::Include};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{
    answer::Head,
    request::{ChatCompletionRequest, message},
};
use crate::{app::AppState, http::ApiError};

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(completions::create)).routes(routes!(voice::create))
}

/// Has the agent answer, in the form that the request asks for.
async fn complete(
    app: &AppState,
    actor: &Actor,
    agent: &AgentId,
    request: ChatCompletionRequest,
) -> Result<Response, ApiError> {
    let stream = request.stream == Some(true);
    let usage = request.stream_options.as_ref().is_some_and(|options| options.include_usage == Some(true));
    let mut message = message(request)?;
    let model = app.core.get_agent(actor, agent, Include::NONE).await?.llm_config.model;
    if stream {
        message.stream_tokens = Some(true);
        let turn = app.core.start_stream(actor, agent, message).await?;
        let head = Head::new(turn.run_id(), model);
        return answer::stream(turn, head, usage, app.ping).await;
    }
    let turn = app.core.send(actor, agent, message).await?;
    Ok(answer::whole(&Head::new(&turn.run_id, model), &turn))
}
