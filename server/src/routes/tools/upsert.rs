//! Creates or changes a tool by its name.

use axum::{Json, extract::State};
use mneme_domain::tool::{CreateTool, Tool};

use crate::{
    app::AppState,
    http::{Answer, Body, Caller},
    routes::refusals::{Common, Detail},
};

/// Creates a tool from its source, or makes the tool of that name what the body says.
#[utoipa::path(
    put,
    path = "/v1/tools",
    operation_id = "tools.upsert",
    tag = "tools",
    request_body = CreateTool,
    responses(
        (status = 200, description = "The tool.", body = Tool),
        (status = 400, description = "The source does not say how to call it.", body = Detail),
        (status = 409, description = "The name belongs to a tool that is no user's own.", body = Detail),
        Common,
    )
)]
pub async fn upsert(State(app): State<AppState>, Caller(actor): Caller, Body(body): Body<CreateTool>) -> Answer<Tool> {
    Ok(Json(app.core.create_tool(&actor, body).await?))
}
