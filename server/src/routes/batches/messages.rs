//! Lists what came of a batch.

use axum::{Json, extract::State};
use mneme_domain::{AgentId, Order, message::Message};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Client, Paging, Query,
        page::PageParams,
        path::{self, InBatch},
    },
    routes::refusals::Refusals,
};

/// Messages of a page unless the client says otherwise.
const DEFAULT_LIMIT: u32 = 100;

/// Whose messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Only this agent's.
    #[serde(default)]
    agent_id: Option<String>,
}

/// Messages of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchMessages {
    /// The messages; `batch_item_id` says which entry of the batch each belongs to.
    messages: Vec<Message>,
}

/// Lists what the agents of a batch said and what their tools returned, newest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/v1/messages/batches/{batch_id}/messages",
    operation_id = "batches.messages.list",
    tag = "batches",
    params(("batch_id" = String, Path, description = "`job-<uuid4>`"), PageParams, Params),
    responses((status = 200, description = "The messages.", body = BatchMessages), Refusals)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    InBatch(batch): InBatch,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<BatchMessages> {
    let agent = params.agent_id.map(|text| path::parse_query::<AgentId>("agent_id", &text)).transpose()?;
    let page = paging.page_by_time(client, Order::Desc, DEFAULT_LIMIT);
    let messages = app.core.batch_messages(&actor, &batch, agent.as_ref(), &page).await?;
    Ok(Json(BatchMessages { messages }))
}
