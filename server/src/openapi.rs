//! The API's description, made from the routes themselves.

use std::sync::Arc;

use axum::{Router, http::header, response::IntoResponse, routing::get};
use bytes::Bytes;
use utoipa::{
    OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{
    app::AppState,
    routes::refusals::{Detail, Malformed},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Mneme",
        description = "A server for stateful agents. It speaks the REST and event-stream API of the Letta V1 server, \
                       so that server's client libraries work with it.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Detail, Malformed)),
    security(("bearer" = []))
)]
struct Frame;

/// The description without routes.
pub fn frame() -> utoipa::openapi::OpenApi {
    let mut document = Frame::openapi();
    document.info.version = crate::VERSION.to_owned();
    let components = document.components.get_or_insert_default();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    document
}

/// Spells the paths as the API's clients do: those of whole collections end in a slash.
pub fn finished(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let paths = std::mem::take(&mut document.paths.paths);
    document.paths.paths = paths
        .into_iter()
        .map(|(path, item)| {
            let collection = path.matches('/').count() == 2;
            (if collection { format!("{path}/") } else { path }, item)
        })
        .collect();
    document
}

/// The routes that hand the description out. It is written once.
pub fn routes(document: utoipa::openapi::OpenApi) -> Router<AppState> {
    let text = document.to_json().map(Bytes::from).unwrap_or_else(|error| {
        tracing::error!(%error, "the API's description could not be written");
        Bytes::from_static(b"{}")
    });
    let text = Arc::new(text);
    let handler = move || {
        let text = Arc::clone(&text);
        async move { ([(header::CONTENT_TYPE, "application/json")], Bytes::clone(&text)).into_response() }
    };
    Router::new().route("/openapi.json", get(handler.clone())).route("/v1/openapi.json", get(handler))
}
