//! Where a browser comes back from an authorization server. Nobody is logged in there: the state says whose it is.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use mneme_core::mcp::McpCallback;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{ApiError, Query},
};

/// What the browser brings.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// What the authorization is known by.
    #[serde(default)]
    state: String,
    /// The code.
    code: Option<String>,
    /// The authorization server.
    iss: Option<String>,
    /// Why there is no code.
    error: Option<String>,
    /// The same in words.
    error_description: Option<String>,
}

/// Ends an authorization that a connect stream waits for, and tells the person so.
#[utoipa::path(
    get,
    path = "/v1/tools/mcp/oauth/callback",
    operation_id = "tools.mcp-oauth-callback",
    tag = "tools",
    params(Params),
    security(()),
    responses(
        (status = 200, description = "A page that says that it is done.", content_type = "text/html"),
        (status = 400, description = "A page that says why it is not.", content_type = "text/html"),
        (status = 404, description = "No such authorization is under way.", content_type = "text/html"),
    )
)]
pub async fn callback(State(app): State<AppState>, Query(params): Query<Params>) -> Response {
    let Params { state, code, iss, error, error_description } = params;
    let error = error.map(|error| error_description.map_or(error.clone(), |words| format!("{error}: {words}")));
    match app.core.finish_mcp_permission(McpCallback { state, code, iss, error }).await {
        Ok(server) => page(StatusCode::OK, &format!("{server} is connected. You can close this window and go back.")),
        Err(error) => {
            let error = ApiError::from(error);
            error.log();
            let words = error.body().get("detail").and_then(|detail| detail.as_str()).unwrap_or_default().to_owned();
            page(error.status(), &format!("The connection was not made. {words}"))
        }
    }
}

fn page(status: StatusCode, words: &str) -> Response {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = format!("<!doctype html><meta charset=\"utf-8\"><title>Mneme</title><p>{words}</p>\n");
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The address holds the code.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
