//! Lists chat models.

use axum::{Json, extract::State};
use mneme_core::ModelFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::ChatModel;
use crate::{
    app::AppState,
    http::{Answer, Caller, Client, Query},
    routes::refusals::Common,
};

/// Which models.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// `base` for the operator's providers, `byok` for those that users added.
    #[serde(default)]
    #[param(required = false)]
    provider_category: Vec<String>,
    /// The provider's name.
    provider_name: Option<String>,
    /// The provider's type: `openai`, `anthropic`, `ollama`, ….
    provider_type: Option<String>,
}

/// Lists the chat models of all providers.
#[utoipa::path(
    get,
    path = "/v1/models",
    operation_id = "models.list",
    tag = "models",
    params(Params),
    responses((status = 200, description = "The models.", body = Vec<ChatModel>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    client: Client,
    Query(params): Query<Params>,
) -> Answer<Vec<ChatModel>> {
    let filter = ModelFilter {
        provider_category: params.provider_category,
        provider_name: params.provider_name,
        provider_type: params.provider_type,
    };
    let models = app.core.list_models(&actor, filter).await?;
    Ok(Json(models.into_iter().map(|config| ChatModel::seen_by(client, config)).collect()))
}
