//! Creates or changes a tool by its name.

use axum::{Json, extract::State};
use mneme_domain::tool::{CreateTool, Tool};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::Common,
};

/// Creates a tool from its source, or makes the tool of that name what the body says.
#[utoipa::path(
    put,
    path = "/v1/tools",
    operation_id = "tools.upsert",
    tag = "tools",
    request_body = CreateTool,
    responses((status = 200, description = "The tool.", body = Tool), Common)
)]
pub async fn upsert(State(app): State<AppState>, Caller(actor): Caller, Body(body): Body<CreateTool>) -> Answer<Tool> {
    Ok(Json(app.core.create_tool(&actor, body).await?))
}
