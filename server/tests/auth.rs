//! Who is let in.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::{body::Body, http::Method};
use common::{PASSWORD, TestApp, request};

#[tokio::test]
async fn only_the_password_opens_a_locked_server() {
    let app = TestApp::locked().await;
    let bearer = format!("Bearer {PASSWORD}");
    let (lower, bare) = (format!("bearer   {PASSWORD}"), format!("password {PASSWORD}"));
    let table: &[(&[(&str, &str)], u16)] = &[
        (&[], 401),
        (&[("authorization", &bearer)], 200),
        (&[("authorization", &lower)], 200),
        (&[("x-bare-password", &bare)], 200),
        (&[("authorization", PASSWORD)], 401),
        (&[("authorization", "Bearer")], 401),
        (&[("authorization", "Bearer ")], 401),
        (&[("authorization", "Bearer correct hors")], 401),
        (&[("authorization", "Bearer correct horse!")], 401),
        (&[("authorization", "Bearer CORRECT HORSE")], 401),
        (&[("authorization", "Basic Y29ycmVjdCBob3JzZQ==")], 401),
        (&[("x-bare-password", PASSWORD)], 401),
        (&[("authorization", &bearer), ("authorization", &bearer)], 401),
        (&[("authorization", &bearer), ("authorization", "Bearer wrong")], 401),
        (&[("authorization", &bearer), ("x-bare-password", &bare)], 401),
        (&[("authorization", "Bearer wrong"), ("x-bare-password", &bare)], 401),
    ];
    for (headers, expected) in table {
        let builder =
            headers.iter().fold(request(Method::GET, "/v1/blocks/"), |b, (name, value)| b.header(*name, *value));
        let answer = app.send(builder.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), *expected, "{headers:?}: {}", answer.text);
        if *expected == 401 {
            assert_eq!(answer.text, r#"{"detail":"Unauthorized"}"#, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn a_locked_server_does_not_tell_what_exists() {
    let app = TestApp::locked().await;
    for path in ["/v1/agents/", "/v1/nope", "/openapi.json", "/latest/agents", "/v1/agents/foo", "/nowhere", "/v1/auth"]
    {
        assert_eq!(app.get(path).await.status.as_u16(), 401, "{path}");
    }
    assert_eq!(app.post("/v1/health/", &serde_json::json!({})).await.status.as_u16(), 401);
}

#[tokio::test]
async fn health_and_the_pages_are_open() {
    let app = TestApp::locked().await;
    let health = app.get("/v1/health/").await;
    assert_eq!(health.json(), serde_json::json!({ "version": mneme::VERSION, "status": "ok" }));
    for path in ["/", "/docs", "/ui/docs.js", "/ui/index.js", "/ui/style.css", "/latest/health"] {
        assert_eq!(app.get(path).await.status.as_u16(), 200, "{path}");
    }
}

#[tokio::test]
async fn a_server_without_a_password_asks_for_nothing() {
    let app = TestApp::new().await;
    assert_eq!(app.get("/v1/blocks/").await.status.as_u16(), 200);
    let builder = request(Method::GET, "/v1/blocks/").header("authorization", "Bearer anything");
    assert_eq!(app.send(builder.body(Body::empty()).unwrap()).await.status.as_u16(), 200);
}
