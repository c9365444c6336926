//! The whole HTTP surface: the routes inside, what every request passes through around them.

use axum::{
    Json, Router,
    http::{StatusCode, Uri},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    app::AppState,
    http::{absent, auth, context, cors, guard, load, normalize::Normalize},
    mcp, openapi, routes, ui,
};

/// What is served.
pub type Service = Normalize<Router>;

/// Builds the service. The last layer added is the first that a request meets.
pub fn build(app: AppState) -> Service {
    let (api, document) = described();
    let router = api
        .merge(openapi::routes(document))
        .merge(ui::routes())
        .merge(mcp::routes(&app))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(app.clone(), load::bound))
        .layer(from_fn_with_state(app.clone(), auth::authenticate))
        .layer(cors::layer(app.origins.clone()))
        .layer(from_fn_with_state(app.clone(), guard::protect))
        .layer(CatchPanicLayer::custom(context::panicked))
        .layer(from_fn(context::trace))
        .with_state(app);
    Normalize(router)
}

/// The API's routes and their description, from one list.
pub fn described() -> (Router<AppState>, utoipa::openapi::OpenApi) {
    let (router, document) = OpenApiRouter::with_openapi(openapi::frame()).merge(routes::all()).split_for_parts();
    (router, openapi::finished(document))
}

async fn not_found(uri: Uri) -> Response {
    let detail = absent::told(uri.path()).unwrap_or("Not Found");
    (StatusCode::NOT_FOUND, Json(json!({ "detail": detail }))).into_response()
}

async fn method_not_allowed() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, Json(json!({ "detail": "Method Not Allowed" }))).into_response()
}
