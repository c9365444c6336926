//! Creates a tool.

use axum::{Json, extract::State};
use mneme_domain::tool::{CreateTool, Tool};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::{Common, Detail},
};

/// Creates a tool from its source. A tool of the same name that a user made becomes what the body says.
#[utoipa::path(
    post,
    path = "/v1/tools",
    operation_id = "tools.create",
    tag = "tools",
    request_body = CreateTool,
    responses(
        (status = 200, description = "The tool.", body = Tool),
        (status = 400, description = "The source does not say how to call it.", body = Detail),
        (status = 409, description = "The name belongs to a tool that is no user's own.", body = Detail),
        Common,
    )
)]
pub async fn create(State(app): State<AppState>, Caller(actor): Caller, Body(body): Body<CreateTool>) -> Answer<Tool> {
    Ok(Json(app.core.create_tool(&actor, body).await?))
}
