//! The API's description, and the pages.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::HashSet;

use common::TestApp;
use serde_json::{Value, json};

/// Every `$ref` in a document.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                found.push(target.clone());
            }
            fields.values().for_each(|field| references(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_description_is_whole() {
    let app = TestApp::new().await;
    let document = app.get("/openapi.json").await.json();
    assert_eq!(document, app.get("/v1/openapi.json").await.json());
    assert_eq!(document["info"]["version"], mneme::VERSION);
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50, "only {} references", found.len());
    for target in found {
        assert!(document.pointer(&target[1..]).is_some(), "{target} leads nowhere");
    }
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[tokio::test]
async fn operations_have_names_of_their_own_and_every_path_parameter() {
    let app = TestApp::new().await;
    let document = app.get("/openapi.json").await.json();
    let mut names = HashSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(path == "/v1/health/" || path.matches('/').count() > 2, "{path}");
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no name"));
            assert!(names.insert(name.to_owned()), "{name} is used twice");
            assert!(operation["summary"].is_string(), "{name} has no summary");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let mut seen = HashSet::new();
            for parameter in &parameters {
                let key = (parameter["in"].to_string(), parameter["name"].to_string());
                assert!(seen.insert(key), "{name}: {} is there twice", parameter["name"]);
            }
            for wanted in path.split(['{', '}']).skip(1).step_by(2) {
                let described =
                    parameters.iter().any(|p| p["in"] == "path" && p["name"] == wanted && p["required"] == true);
                assert!(described, "{name} does not describe {wanted}");
            }
            let good = operation["responses"].as_object().unwrap().keys().any(|status| status.starts_with('2'));
            assert!(good, "{name} has no good answer");
        }
    }
    for known in ["health.check", "agents.create", "agents.messages.create-stream", "runs.list-active", "tags.list"] {
        assert!(names.contains(known), "{known} is missing");
    }
}

/// A single text or number is JSON as well, which a generator of clients has to know.
#[tokio::test]
async fn answers_are_of_the_type_that_is_described() {
    let app = TestApp::new().await;
    let folder = app.post("/v1/folders/", &json!({ "name": "notes" })).await;
    assert!(folder.status.is_success(), "{}", folder.text);
    let document = app.get("/openapi.json").await.json();
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let described = &item["get"]["responses"]["200"]["content"];
        if path.contains("_id}") || described.is_null() {
            continue;
        }
        let answer = app.get(&path.replace("{folder_name}", "notes").replace("{source_name}", "notes")).await;
        if !answer.status.is_success() {
            continue;
        }
        let kind = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        assert!(described.get(kind).is_some(), "{path} answers with {kind}: {described}");
        asked += 1;
    }
    assert!(asked > 30, "only {asked} were asked");
    let value = &document["components"]["schemas"]["IdentityProperty"]["properties"]["value"];
    assert!(value["description"].is_string() && value.get("type").is_none(), "any value: {value}");
}

#[tokio::test]
async fn the_pages_need_nothing_from_elsewhere() {
    let app = TestApp::new().await;
    for path in ["/", "/docs", "/ui/style.css", "/ui/docs.js", "/ui/index.js"] {
        let page = app.get(path).await;
        assert_eq!(page.status.as_u16(), 200, "{path}");
        for foreign in ["http://", "https://", "url(", "@import", "<script>", "style="] {
            assert!(!page.text.contains(foreign), "{path} has {foreign}");
        }
        assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    }
    for page in ["/", "/docs"] {
        let text = app.get(page).await.text;
        let linked = text.split(['"']).filter(|part| part.starts_with('/') && part.len() > 1);
        for target in linked {
            assert_eq!(app.get(target).await.status.as_u16(), 200, "{page} links to {target}");
        }
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let app = TestApp::new().await;
    let own = app.get("/v1/health/").await;
    assert!(own.header("x-request-id").is_some_and(|id| id.len() == 32));
    let with = |id: &'static str| {
        common::request(axum::http::Method::GET, "/v1/nope").header("x-request-id", id).body(axum::body::Body::empty())
    };
    assert_eq!(app.send(with("abc-1.2_3").unwrap()).await.header("x-request-id"), Some("abc-1.2_3"));
    for odd in ["", "with space", "a\tb", "x;y", &"x".repeat(65)] {
        let answer = app.send(with(Box::leak(odd.to_owned().into_boxed_str())).unwrap()).await;
        assert!(answer.header("x-request-id").is_some_and(|id| id.len() == 32), "{odd:?}");
    }
}
