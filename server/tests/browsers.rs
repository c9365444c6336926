//! What web pages may do: CORS, DNS rebinding, cross-site requests.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::{
    body::Body,
    http::{Method, Request},
};
use common::{Answer, PASSWORD, TestApp, request};
use mneme::config::Secret;

async fn preflight(app: &TestApp, origin: &str) -> Answer {
    let builder = request(Method::OPTIONS, "/v1/agents/")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    app.send(builder.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn local_pages_pass_the_preflight_even_when_the_server_is_locked() {
    for app in [TestApp::new().await, TestApp::locked().await] {
        for origin in ["http://localhost:3000", "https://localhost", "http://127.0.0.1:5173", "http://[::1]:8080"] {
            let answer = preflight(&app, origin).await;
            assert_eq!(answer.status.as_u16(), 200, "{origin}");
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
            assert_eq!(answer.header("access-control-allow-headers"), Some("authorization,content-type"));
        }
    }
}

#[tokio::test]
async fn other_pages_do_not_unless_they_are_listed() {
    let app = TestApp::with(|config| config.cors_origins = vec!["https://app.example.com/".into()]).await;
    assert_eq!(
        preflight(&app, "https://app.example.com").await.header("access-control-allow-origin"),
        Some("https://app.example.com")
    );
    for origin in [
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "https://app.example.com:444",
        "null",
        "http://localhost.evil.example",
        "http://localhost:3000.evil.example",
        "http://127.0.0.1.nip.example",
        "file://",
        "http://user@localhost:3000",
        "http://0.0.0.0:3000",
    ] {
        assert_eq!(preflight(&app, origin).await.header("access-control-allow-origin"), None, "{origin}");
    }
}

#[tokio::test]
async fn answers_name_the_origin_that_may_read_them() {
    let app = TestApp::new().await;
    let read = |origin: &'static str| {
        request(Method::GET, "/v1/health/").header("origin", origin).body(Body::empty()).unwrap()
    };
    let local = app.send(read("http://localhost:3000")).await;
    assert_eq!(local.header("access-control-allow-origin"), Some("http://localhost:3000"));
    assert!(local.header("vary").is_some_and(|vary| vary.to_lowercase().contains("origin")), "{:?}", local.headers);
    let foreign = app.send(read("http://evil.example")).await;
    assert_eq!((foreign.status.as_u16(), foreign.header("access-control-allow-origin")), (200, None));
}

#[tokio::test]
async fn a_foreign_page_cannot_change_anything_on_an_open_server() {
    let app = TestApp::with(|config| config.cors_origins = vec!["https://app.example.com".into()]).await;
    let table: &[(&[(&str, &str)], u16)] = &[
        (&[], 200),
        (&[("origin", "http://localhost:3000")], 200),
        (&[("origin", "https://app.example.com")], 200),
        (&[("sec-fetch-site", "same-origin")], 200),
        (&[("origin", "http://evil.example")], 403),
        (&[("origin", "null")], 403),
        (&[("sec-fetch-site", "cross-site")], 403),
    ];
    for (headers, expected) in table {
        let builder = request(Method::POST, "/v1/blocks/").header("content-type", "application/json");
        let builder = headers.iter().fold(builder, |b, (name, value)| b.header(*name, *value));
        let answer = app.send(builder.body(Body::from(r#"{"label":"a","value":"b"}"#)).unwrap()).await;
        assert_eq!(answer.status.as_u16(), *expected, "{headers:?}: {}", answer.text);
    }
    let kept = app.get("/v1/blocks/count").await;
    assert_eq!(kept.text, "4", "the refused requests changed nothing");
}

#[tokio::test]
async fn an_open_server_answers_only_under_its_own_names() {
    let app = TestApp::with(|config| config.allowed_hosts = vec!["box.lan".into()]).await;
    let table = [
        ("localhost", 200),
        ("localhost:8283", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:8283", 200),
        ("127.9.9.9", 200),
        ("[::1]", 200),
        ("[::1]:8283", 200),
        ("box.lan:8283", 200),
        ("evil.example", 403),
        ("evil.example:8283", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.nip.example", 403),
        ("192.168.0.7", 403),
        ("0.0.0.0", 403),
        ("localhost@evil.example", 403),
        ("", 403),
    ];
    for (host, expected) in table {
        let builder = Request::builder().uri("/v1/health/").header("host", host);
        let answer = app.send(builder.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), expected, "{host:?}: {}", answer.text);
    }
    let nameless = app.send(Request::builder().uri("/v1/health/").body(Body::empty()).unwrap()).await;
    assert_eq!(nameless.status.as_u16(), 403);
    let twice = Request::builder().uri("/v1/health/").header("host", "localhost").header("host", "evil.example");
    assert_eq!(app.send(twice.body(Body::empty()).unwrap()).await.status.as_u16(), 403);
    let absolute = Request::builder().uri("http://evil.example/v1/health/").header("host", "localhost");
    assert_eq!(app.send(absolute.body(Body::empty()).unwrap()).await.status.as_u16(), 403);
}

#[tokio::test]
async fn a_locked_server_answers_under_any_name() {
    let app = TestApp::with(|config| config.password = Some(Secret::new(PASSWORD))).await;
    let builder = Request::builder().method(Method::POST).uri("/v1/blocks/").header("host", "agents.example.com");
    let builder = builder.header("origin", "https://agents.example.com").header("content-type", "application/json");
    let builder = builder.header("authorization", format!("Bearer {PASSWORD}"));
    let answer = app.send(builder.body(Body::from(r#"{"label":"a","value":"b"}"#)).unwrap()).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
}
