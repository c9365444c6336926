//! Lists embedding models.

use axum::{Json, extract::State};

use super::view::EmbeddingModel;
use crate::{
    app::AppState,
    http::{Answer, Caller, Client},
    routes::refusals::Common,
};

/// Lists the embedding models of all providers.
#[utoipa::path(
    get,
    path = "/v1/models/embedding",
    operation_id = "models.embeddings.list",
    tag = "models",
    responses((status = 200, description = "The models.", body = Vec<EmbeddingModel>), Common)
)]
pub async fn list(State(app): State<AppState>, Caller(actor): Caller, client: Client) -> Answer<Vec<EmbeddingModel>> {
    let models = app.core.list_embedding_models(&actor).await?;
    Ok(Json(models.into_iter().map(|config| EmbeddingModel::seen_by(client, config)).collect()))
}

/// Lists the embedding models of all providers, under the path that 0.x clients also know.
#[utoipa::path(
    get,
    path = "/v1/models/embeddings",
    operation_id = "models.listembeddingmodels",
    tag = "models",
    responses((status = 200, description = "The models.", body = Vec<EmbeddingModel>), Common)
)]
pub async fn list_again(app: State<AppState>, caller: Caller, client: Client) -> Answer<Vec<EmbeddingModel>> {
    list(app, caller, client).await
}
