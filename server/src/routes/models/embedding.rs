//! Lists embedding models.

use axum::{Json, extract::State};
use mneme_domain::llm_config::EmbeddingConfig;

use crate::{
    app::AppState,
    http::{Answer, Caller},
    routes::refusals::Common,
};

/// Lists the embedding models of all providers.
#[utoipa::path(
    get,
    path = "/v1/models/embedding",
    operation_id = "models.embeddings.list",
    tag = "models",
    responses((status = 200, description = "The models.", body = Vec<EmbeddingConfig>), Common)
)]
pub async fn list(State(app): State<AppState>, Caller(actor): Caller) -> Answer<Vec<EmbeddingConfig>> {
    Ok(Json(app.core.list_embedding_models(&actor).await?))
}
